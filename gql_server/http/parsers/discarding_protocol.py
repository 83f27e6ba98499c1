"""The end of a connection after a response that a parser sent by itself."""

import asyncio

from typing_extensions import override

from gql_server.http.unread_body import MAX_DISCARDED_BYTES, MAX_IDLE_SECONDS, MAX_SECONDS


class DiscardingProtocol(asyncio.Protocol):
    """Discards what the client still sends, within limits, and then closes the connection.

    A connection that is closed with unread bytes is reset, and the client loses the response.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._discarded = 0
        self._end = self._loop.call_later(MAX_SECONDS, transport.abort)
        self._idle = self._loop.call_later(MAX_IDLE_SECONDS, transport.abort)

    @override
    def data_received(self, data: bytes) -> None:
        self._discarded += len(data)
        self._idle.cancel()
        if self._discarded > MAX_DISCARDED_BYTES:
            self._transport.abort()
        else:
            self._idle = self._loop.call_later(MAX_IDLE_SECONDS, self._transport.abort)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.cancel()
        self._end.cancel()
