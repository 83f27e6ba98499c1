"""Connections of asyncpg, limited in number and used again.

asyncpg's own pool takes 50 us of processor time for each use, a third of a short read: it makes two tasks
and wraps the connection. Here a connection is taken from a list.
"""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asyncpg import Connection

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_END_SECONDS: Final = 2.0
"""Time for a connection to end its transaction, or to close, before it is aborted."""


class Connections:
    """Up to `size` connections, made with these arguments of `asyncpg.connect`; for one event loop."""

    def __init__(self, options: dict[str, Any], size: int) -> None:
        self._options = options
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection[Any]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def acquire(self) -> "Connection[Any]":
        """Return a connection that nobody else uses, made now if none is idle."""
        await self._free.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await self._connect()
        except BaseException:
            self._free.release()
            raise

    def release(self, connection: "Connection[Any]") -> None:
        """Give back a connection; its transaction, if it has one, ends in the background."""
        if connection.is_in_transaction():
            self._in_background(self._roll_back(connection))
        else:
            self._keep(connection)

    def discard(self, connection: "Connection[Any]") -> None:
        """Give back a connection on which a statement failed or was cancelled: it is closed."""
        self._in_background(self._end(connection))

    def drop_idle(self) -> None:
        """Close all idle connections, as after one of them was found broken."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.terminate()

    async def close(self) -> None:
        """Close all connections, those in use as soon as they are given back."""
        self._closed = True
        self.drop_idle()
        if self._ending:
            await asyncio.wait(self._ending)

    @staticmethod
    async def begin(connection: "Connection[Any]") -> None:
        """Begin a transaction in which all statements see one state of the database."""
        await connection.execute(_BEGIN)

    async def _connect(self) -> "Connection[Any]":
        import asyncpg  # noqa: PLC0415 - an extra

        return await asyncpg.connect(**self._options)

    async def _roll_back(self, connection: "Connection[Any]") -> None:
        try:
            async with asyncio.timeout(_END_SECONDS):
                await connection.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - a broken connection is closed, whatever broke it
            await self._end(connection)
        else:
            self._keep(connection)

    def _keep(self, connection: "Connection[Any]") -> None:
        self._free.release()
        if self._closed:
            connection.terminate()
        else:
            self._idle.append(connection)

    async def _end(self, connection: "Connection[Any]") -> None:
        # `close` waits until a request to cancel the statement has been sent.
        try:
            await connection.close(timeout=_END_SECONDS)
        except Exception:  # noqa: BLE001 - the connection may be broken already
            connection.terminate()
        finally:
            self._free.release()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
