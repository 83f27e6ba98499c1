"""HTTP requests that a thread waits for, and that another thread can end.

A thread that reads from a socket cannot be stopped from outside; but the socket can be shut down, and then
the read ends. MLflow's client, and the plugins for it, keep their connections to themselves: so urllib3's own
connections, in this process, remember the reading that they are in use for.
"""

import socket
from contextlib import suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeAlias

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_LOCK = Lock()
"""For who uses which connection: held for a moment, and never while anything is waited for."""


class RequestCancelled(Exception):
    """Nobody waits any more for what is read."""


class CancellableRequest:
    """What a thread reads, in whatever requests that takes; what changes something is no reading."""

    def __init__(self) -> None:
        self.stopped = False
        self._connection: _Connection | None = None

    def stop(self) -> None:
        """End the request that is under way, and let no other begin."""
        with _LOCK:
            self.stopped = True
            connection = self._connection
            # One that went back to its pool may be in use for another.
            if connection is not None and connection.reading is self:
                connection.shut()

    def use(self, connection: "_Connection") -> None:
        """Take a connection into use; raises `RequestCancelled`."""
        if self.stopped:
            raise RequestCancelled
        self._connection = connection


reading: ContextVar[CancellableRequest | None] = ContextVar("reading", default=None)
"""What the requests of this thread are made for; None where they are not to be stopped."""


class _Stoppable:
    """What a connection of urllib3's has beside."""

    reading: CancellableRequest | None = None
    sock: Any
    _open: Any = None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._take()

    def request(self, *arguments: Any, **options: Any) -> None:
        self._take()
        super().request(*arguments, **options)  # type: ignore[misc]

    def getresponse(self) -> Any:
        try:
            return super().getresponse()  # type: ignore[misc]
        except Exception as error:
            if self.reading is not None and self.reading.stopped:
                # As any other error of the network it would be tried again.
                raise RequestCancelled from error
            raise

    def shut(self) -> None:
        if isinstance(self._open, socket.socket):
            with suppress(OSError):
                # The method of TLS sockets forgets the session, which the other thread is using.
                socket.socket.shutdown(self._open, socket.SHUT_RDWR)

    def _take(self) -> None:
        with _LOCK:
            # It outlives `sock`, which is gone once the last response on it has begun.
            self._open = self.sock
            self.reading = reading.get()
            if self.reading is not None:
                self.reading.use(self)  # type: ignore[arg-type]


class _Plain(_Stoppable, HTTPConnection):
    pass


class _Secure(_Stoppable, HTTPSConnection):
    pass


_Connection: TypeAlias = _Plain | _Secure


def make_requests_cancellable() -> None:
    """Make what this process sends over urllib3 from now on stoppable, wherever there is a reading."""
    HTTPConnectionPool.ConnectionCls = _Plain
    HTTPSConnectionPool.ConnectionCls = _Secure
