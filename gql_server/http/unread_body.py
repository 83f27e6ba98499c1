"""Responses to requests whose body the application has not read, such as those with too large bodies.

A server that closes a connection with unread bytes resets it, and the client's system then discards what it
has received. Many clients send their whole body before they read the response, and so get an error of the
connection instead of the response.
"""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.http.body_length import announced_length, has_body
from gql_server.http.request_headers import request_headers

_MAX_KEPT_BYTES: Final = 65_536
"""The longest unread body after which the connection stays open; it takes less than a new connection."""
MAX_DISCARDED_BYTES: Final = 100_000_000
"""Bytes of one body that are discarded: they take 60 ms of processor time."""
MAX_SECONDS: Final = 30.0
"""Seconds for which a body is discarded: nginx's `lingering_time`."""
MAX_IDLE_SECONDS: Final = 5.0
"""Seconds without a part of the body, after which the client counts as finished: nginx's
`lingering_timeout`."""


class UnreadBodyMiddleware:
    """Middleware that discards a body, within limits, before the connection is closed.

    If the body is long, or its length unknown, the response has `Connection: close`, so that a client that
    reads while it sends can stop.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then discard the rest of its body and end the response."""
        if scope["type"] != "http" or not has_body(scope):
            await self._app(scope, receive, send)
            return
        body = _Body(receive)
        response = _Response(scope, body, send)
        await self._app(scope, body.receive, response.send)
        if response.has_withheld_end:
            await body.discard()
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Body:
    """The body of a request."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False
        self._discarded = 0

    async def receive(self) -> Message:
        """Return the next message, and note the end of the body."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.is_complete = True
        return message

    async def discard(self) -> None:
        """Receive the rest of the body, within the limits."""
        try:
            async with asyncio.timeout(MAX_SECONDS):
                while not self.is_complete and self._discarded < MAX_DISCARDED_BYTES:
                    async with asyncio.timeout(MAX_IDLE_SECONDS):
                        message = await self.receive()
                    self._discarded += len(message.get("body", b""))
        except TimeoutError:
            return


class _Response:
    """The response to a request; its end is withheld if the body is not complete."""

    def __init__(self, scope: Scope, body: _Body, send: Send) -> None:
        self._scope = scope
        self._body = body
        self._send = send
        self.has_withheld_end = False

    async def send(self, message: Message) -> None:
        """Send a message."""
        if self._body.is_complete:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._send(message if self._keeps_connection() else _closing(message))
        elif message.get("more_body", False):
            await self._send(message)
        else:
            # The client has the whole response now; its end would close the connection.
            self.has_withheld_end = True
            await self._send({**message, "more_body": True})

    def _keeps_connection(self) -> bool:
        headers = request_headers(self._scope)
        # A client whose expectation is refused may send the body or not, so the next bytes have no meaning.
        return "expect" not in headers and 0 < announced_length(headers) <= _MAX_KEPT_BYTES


def _closing(start: Message) -> Message:
    return {**start, "headers": [*start.get("headers", []), (b"connection", b"close")]}
