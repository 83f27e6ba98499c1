"""Sending what is large: in pieces, and no longer than the client takes them.

uvicorn keeps whatever it is given at once until the client has taken it, be that never.
"""

import asyncio
from functools import partial

from starlette.types import Message, Send

_PIECE = 256 * 1024
"""Bytes that one client may leave lying in memory."""


def patient(send: Send, seconds: float) -> Send:
    """Return a `send` that raises TimeoutError where the client does not take a message within the time."""
    return partial(_sent, send, seconds)


def in_pieces(send: Send) -> Send:
    """Return a `send` that sends a body in pieces, each once the client has taken nearly all before it."""
    return partial(_sent_in_pieces, send)


async def _sent(send: Send, seconds: float, message: Message) -> None:
    async with asyncio.timeout(seconds):
        await send(message)


async def _sent_in_pieces(send: Send, message: Message) -> None:
    body = memoryview(message.get("body", b""))
    start = 0
    while len(body) - start > _PIECE:
        # Copied, or whoever keeps the piece would keep all that it is a piece of.
        await send({**message, "body": bytes(body[start : start + _PIECE]), "more_body": True})
        start += _PIECE
    await send({**message, "body": bytes(body[start:])} if start else message)
