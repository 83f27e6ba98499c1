"""uvicorn's WebSocket protocol, with an end for clients that accept nothing any more."""

from typing import Final

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_CLOSE_SECONDS: Final = 10.0
"""Seconds after its end in which a connection may still send: uvicorn's time for the client's close."""


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """Aborts connections that have ended.

    uvicorn closes a connection only after the client has accepted all data, and a client that is gone never
    does.
    """

    @override
    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    @override
    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(_CLOSE_SECONDS, self.transport.abort)
