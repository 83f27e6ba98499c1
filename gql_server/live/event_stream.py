"""GraphQL over Server-Sent Events: the distinct connections mode of the graphql-sse protocol.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gql_server.auth.caller import Caller
from gql_server.config.limits import Limits
from gql_server.http.disconnect import wait_for_disconnect
from gql_server.http.error_responses import request_error
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError
from gql_server.http.responses import VARY
from gql_server.http.streaming import send_with_timeout
from gql_server.live.live_connections import LiveConnection, LiveConnections
from gql_server.live.operation_events import OperationEvents
from gql_server.observability.request_record import request_record
from gql_server.runtime.cancellation import cancel
from gql_server.runtime.fair_semaphore import current_client

_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx collects a response before it sends it, unless this header is in it.
    (b"x-accel-buffering", b"no"),
    (b"vary", VARY.encode()),
    (b"x-content-type-options", b"nosniff"),
)
_KEEP_ALIVE: Final = b":\n\n"
_COMPLETE: Final = b"event: complete\ndata:\n\n"
_FIRST_EVENT_SECONDS: Final = 1.0
"""The time that a first event may take until the response starts without it. An error before the start has a
status; the client has to see soon that it is connected."""

_log = logging.getLogger(__name__)


class EventStreams:
    """Sends the results of an operation as the events of one response."""

    def __init__(self, events: OperationEvents, connections: LiveConnections, limits: Limits) -> None:
        self._events = events
        self._connections = connections
        self._keep_alive = limits.connections.live_keep_alive
        self._send_timeout = limits.responses.download_patience

    async def respond(
        self, scope: Scope, receive: Receive, send: Send, request: GraphQLRequest, caller: Caller
    ) -> None:
        """Respond with the events of an operation; raise what has a status before the response starts.

        The last event is `complete`. Without it the server has ended the stream before the operation, and
        clients connect again.
        """
        with self._connections.open(current_client.get()) as connection:
            connection.expire_with(caller)
            response = _Response(scope, send_with_timeout(send, self._send_timeout))
            events = self._events.events(request, caller, request_record(scope))
            producing = asyncio.create_task(_send_events(events, response))
            leaving = asyncio.create_task(wait_for_disconnect(receive))
            try:
                await self._keep_alive_until_end(producing, leaving, connection, response)
            except TimeoutError:
                _log.warning("a client did not accept its events in time (GQL_DOWNLOAD_PATIENCE)")
                return
            finally:
                await cancel(producing, leaving)
            if not leaving.cancelled():
                if not response.messages:
                    raise ClientDisconnect
                return
            await response.end()

    async def _keep_alive_until_end(
        self,
        producing: "asyncio.Task[None]",
        leaving: "asyncio.Task[None]",
        connection: LiveConnection,
        response: "_Response",
    ) -> None:
        seconds = _FIRST_EVENT_SECONDS
        awaited: set[asyncio.Future[Any]] = {producing, leaving, connection.ended}
        while True:
            sent = response.messages
            await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if producing.done():
                producing.result()
            if producing.done() or leaving.done() or connection.ended.done():
                return
            if sent == response.messages:
                await response.send(_KEEP_ALIVE)
            seconds = self._keep_alive


class _Response:
    """The response, which starts with its first message."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self._send = send
        self.messages = 0
        """The number of messages that were sent, or are waiting for the client to accept them."""

    async def send(self, body: bytes, *, more: bool = True) -> None:
        """Send a part of the body."""
        self.messages += 1
        if self.messages == 1:
            start = {"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": _HEADERS}
            await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def end(self) -> None:
        """Send the end of the body."""
        await self.send(b"", more=False)


async def _send_events(events: AsyncGenerator[bytes, None], response: _Response) -> None:
    """Send all events; raise an error that has a status of its own before the first of them."""
    try:
        async with aclosing(events):
            async for event in events:
                await response.send(_next_event(event))
    except TimeoutError:
        raise
    except Exception as error:
        if not response.messages and not _is_document_error(error):
            raise
        refusal = request_error(error)
        request_record(response.scope).codes = refusal.codes
        await response.send(_next_event(orjson.dumps({"errors": refusal.errors})))
    await response.send(_COMPLETE)


def _is_document_error(error: Exception) -> bool:
    """Return whether the error is one of the document, and not of the HTTP request."""
    return isinstance(error, RequestError) and error.status is None


def _next_event(result: bytes) -> bytes:
    # Encoded JSON has no line feed.
    return b"event: next\ndata: %b\n\n" % result
