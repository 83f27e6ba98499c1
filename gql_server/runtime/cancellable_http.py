"""HTTP requests that one thread waits for and another can cancel.

A thread that blocks in a socket read cannot be stopped, but shutting the socket down ends the read. MLflow's
client and its plugins do not expose their connections, so urllib3's connection classes are replaced for the
whole process by ones that record the request that they serve. They also check the responses
(`gql_server.runtime.upstream_response`).
"""

import socket
from contextlib import suppress
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeAlias

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gql_server.runtime.upstream_response import check_response

_LOCK = Lock()
"""Guards which request uses which connection. It is not held during I/O."""


class RequestCancelled(Exception):
    """The request was cancelled."""


class CancellableRequest:
    """One read from a store, which may take several HTTP requests in turn. Writes are not cancellable."""

    def __init__(self) -> None:
        self.cancelled = False
        self._connection: _Connection | None = None

    def cancel(self) -> None:
        """End the HTTP request in progress and prevent further ones."""
        with _LOCK:
            self.cancelled = True
            connection = self._connection
            # A connection that was returned to its pool may serve another request by now.
            if connection is not None and connection.served is self:
                connection.shut_down()

    def attach(self, connection: "_Connection") -> None:
        """Record the connection in use; raise `RequestCancelled` after `cancel`."""
        if self.cancelled:
            raise RequestCancelled
        self._connection = connection


current_request: ContextVar[CancellableRequest | None] = ContextVar("current_request", default=None)
"""The read that this thread's HTTP requests belong to; None if they are not cancellable."""


class _Cancellable:
    """A mixin for urllib3's connections."""

    served: CancellableRequest | None = None
    sock: Any
    _socket: Any = None

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._attach()

    def request(self, *arguments: Any, **options: Any) -> None:
        self._attach()
        super().request(*arguments, **options)  # type: ignore[misc]

    def getresponse(self) -> Any:
        try:
            response = super().getresponse()  # type: ignore[misc]
        except Exception as error:
            if self.served is not None and self.served.cancelled:
                # urllib3 retries other network errors.
                raise RequestCancelled from error
            raise
        check_response(response)
        return response

    def shut_down(self) -> None:
        if isinstance(self._socket, socket.socket):
            with suppress(OSError):
                # SSLSocket.shutdown drops the TLS session, which the other thread is using.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _attach(self) -> None:
        with _LOCK:
            # urllib3 clears `sock` when the last response on the connection begins; `_socket` stays.
            self._socket = self.sock
            self.served = current_request.get()
            if self.served is not None:
                self.served.attach(self)  # type: ignore[arg-type]


class _CancellableHTTPConnection(_Cancellable, HTTPConnection):
    pass


class _CancellableHTTPSConnection(_Cancellable, HTTPSConnection):
    pass


_Connection: TypeAlias = _CancellableHTTPConnection | _CancellableHTTPSConnection


def make_requests_cancellable() -> None:
    """Make urllib3 requests of this process cancellable where `current_request` is set."""
    HTTPConnectionPool.ConnectionCls = _CancellableHTTPConnection
    HTTPSConnectionPool.ConnectionCls = _CancellableHTTPSConnection
