"""Sending large bodies in chunks, with a timeout for clients that stop reading.

uvicorn stores a whole message until the client has accepted it, without a limit on the time.
"""

import asyncio
import logging
from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any, Final, cast

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gql_server.http.responses import finalize

_CHUNK_BYTES: Final = 256 * 1024
"""Bytes of one message, and so the memory that a slow client occupies."""

_log = logging.getLogger(__name__)


async def send_response(
    scope: Scope, receive: Receive, send: Send, response: Response, seconds: float
) -> None:
    """Send a response in chunks, compressed or as 304 where the request allows it.

    A client that does not accept a chunk within this time is disconnected.
    """
    response = await finalize(scope, response)
    try:
        await response(scope, receive, send_in_chunks(send_with_timeout(send, seconds)))
    except TimeoutError:
        _log.warning("a client did not accept its response in time (GQL_DOWNLOAD_PATIENCE)")


def send_with_timeout(send: Send, seconds: float) -> Send:
    """Return a `send` that raises TimeoutError if the client does not accept a message in time."""
    return partial(_send_with_timeout, send, seconds)


def send_in_chunks(send: Send) -> Send:
    """Return a `send` that splits a body into messages, so that only a part of it waits in memory."""
    return partial(_send_in_chunks, send)


async def _send_with_timeout(send: Send, seconds: float, message: Message) -> None:
    sending = cast("Coroutine[Any, Any, None]", send(message))
    try:
        awaited = sending.send(None)
    except StopIteration:
        # Sent at once, as nearly every message is: a timeout takes longer than that.
        return
    async with asyncio.timeout(seconds):
        await _continue(sending, awaited)


@coroutine
def _continue(started: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    """Run a coroutine to its end that has run until it awaits something for the first time."""
    try:
        while True:
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - thrown into the coroutine, as await does
                awaited = started.throw(error)
            else:
                awaited = started.send(None)
    except StopIteration:
        return


async def _send_in_chunks(send: Send, message: Message) -> None:
    body = memoryview(message.get("body", b""))
    start = 0
    while len(body) - start > _CHUNK_BYTES:
        # A copy: a reference to the chunk would hold the whole body in memory.
        await send({**message, "body": bytes(body[start : start + _CHUNK_BYTES]), "more_body": True})
        start += _CHUNK_BYTES
    await send({**message, "body": bytes(body[start:])} if start else message)
