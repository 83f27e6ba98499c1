"""The open event streams and WebSockets of a process: how many there are, and when each has to end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from gql_server.auth.caller import Caller
from gql_server.config.limits import ConnectionLimits
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError


class ConnectionEnd(Enum):
    """Why the server ends a connection."""

    AGE = auto()
    """It was open for `GQL_LIVE_CONNECTION_SECONDS`."""
    EXPIRED = auto()
    """The caller's credentials have expired."""
    STOPPING = auto()
    """The process stops."""


class LiveConnection:
    """One open connection; `ended` has a result when the server has to close it."""

    def __init__(self, client: Hashable, max_seconds: float, clock: Callable[[], float]) -> None:
        self.client = client
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[ConnectionEnd] = loop.create_future()
        self._clock = clock
        self._timers = [loop.call_later(max_seconds, self.end, ConnectionEnd.AGE)]

    def end(self, reason: ConnectionEnd) -> None:
        """Ask the transport to close the connection."""
        if not self.ended.done():
            self.ended.set_result(reason)

    def expire_with(self, caller: Caller) -> None:
        """End the connection when the caller's credentials expire."""
        if caller.expires is not None:
            seconds = max(0.0, caller.expires - self._clock())
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(seconds, self.end, ConnectionEnd.EXPIRED))

    def close(self) -> None:
        """Stop the timers."""
        for timer in self._timers:
            timer.cancel()
        self.ended.cancel()


class LiveConnections:
    """The open connections of one event loop, within the limits of the process and of each caller.

    `clock` returns the time in seconds since the epoch, for the expiry of credentials.
    """

    def __init__(self, limits: ConnectionLimits, clock: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._clock = clock
        self._open: set[LiveConnection] = set()
        self._by_client: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    @contextmanager
    def open(self, client: Hashable) -> Iterator[LiveConnection]:
        """Count a connection of a client while the context is entered; raise `RequestError` at a limit."""
        if len(self._open) >= self._limits.max_live_connections:
            message = (
                f"The server has {len(self._open)} open event streams and WebSockets "
                "(GQL_MAX_LIVE_CONNECTIONS)."
            )
            raise RequestError.unavailable(message, ErrorCode.LIMIT_EXCEEDED)
        self._count(client)
        connection = LiveConnection(client, self._limits.live_connection_seconds, self._clock)
        self._open.add(connection)
        try:
            yield connection
        finally:
            self._open.remove(connection)
            connection.close()
            self._discount(connection.client)

    def assign(self, connection: LiveConnection, client: Hashable) -> None:
        """Count a connection for another client from now on; raise `RequestError` at the client's limit."""
        if client != connection.client:
            self._count(client)
            self._discount(connection.client)
            connection.client = client

    def end_all(self) -> None:
        """End all connections, because the process stops."""
        for connection in self._open:
            connection.end(ConnectionEnd.STOPPING)

    def _count(self, client: Hashable) -> None:
        limit = self._limits.max_caller_connections
        if self._by_client[client] >= limit:
            message = (
                f"The caller has {limit} open event streams and WebSockets (GQL_MAX_CALLER_CONNECTIONS)."
            )
            raise RequestError.unavailable(message, ErrorCode.LIMIT_EXCEEDED)
        self._by_client[client] += 1

    def _discount(self, client: Hashable) -> None:
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]
