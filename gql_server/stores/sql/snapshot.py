"""One state of a database, which all reads of an operation see."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import override

from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.event_loop.loop_reader import LoopReader, LoopUnavailable
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.short_reads import LongResult
from gql_server.stores.sql.thread_session import ThreadSession
from schema.ports.errors import PublicError

if TYPE_CHECKING:
    from asyncpg import Connection

_T = TypeVar("_T")

_EXPORT: Final = "SELECT pg_export_snapshot()"
_MAX_IDLE_SECONDS: Final = 1.0
"""Time without a read after which the connection is released: an operation may wait for slow artifacts.

An open transaction of SQLite delays those who write to it.
"""


class Snapshot(Reader):
    """The reads of one operation, in one read-only transaction.

    The transaction begins with the first read. Short reads take place on the event loop, if the pool has a
    reader for it, and long ones in a worker thread, in the same exported snapshot.
    """

    def __init__(self, pool: SessionPool) -> None:
        self._pool = pool
        self._lock = asyncio.Lock()
        self._connection: Connection[Any] | None = None
        self._reader: LoopReader | None = None
        self._session: ThreadSession | None = None
        self._last_call: Future[Any] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._closed = False

    @override
    async def read(self, work: Callable[[Session], _T], *, short: bool = False, predicates: int = 0) -> _T:
        return await self._pool.limited(self._read(work, short=short, predicates=predicates))

    @override
    async def schema(self) -> DatabaseSchema:
        return await self._pool.schema()

    def close(self) -> None:
        """Release the connections, without waiting for the end of their transactions."""
        self._closed = True
        if not self._lock.locked():
            self._release()

    async def _read(self, work: Callable[[Session], _T], *, short: bool, predicates: int) -> _T:
        # One connection runs one statement at a time.
        async with self._lock:
            self._stop_expiry()
            try:
                return await self._read_alone(work, short=short, predicates=predicates)
            except PublicError:
                raise
            except BaseException:
                self._release()
                raise
            finally:
                if self._closed:
                    self._release()
                elif self._connection is not None or self._session is not None:
                    loop = asyncio.get_running_loop()
                    self._expiry = loop.call_later(_MAX_IDLE_SECONDS, self._release)

    async def _read_alone(self, work: Callable[[Session], _T], *, short: bool, predicates: int) -> _T:
        reader = self._pool.loop_reader
        # An operation that waits for a connection of asyncpg has none of a thread, which others may wait for.
        if reader is not None and short and (self._connection is not None or self._session is None):
            try:
                return await self._pool.with_schema(
                    lambda database: self._call_on_loop(reader, database, work)
                )
            except (LoopUnavailable, LongResult):
                pass
        return await self._read_in_session(work, short=short, predicates=predicates)

    async def _call_on_loop(
        self, reader: LoopReader, database: OpenDatabase, work: Callable[[Session], _T]
    ) -> _T:
        if self._connection is None:
            self._reader, self._connection = reader, await reader.begin()
        try:
            return await reader.call(self._connection, database, work, self._pool.caller_workspace())
        except (PublicError, LongResult):
            raise
        except BaseException as error:
            reader.discard(self._connection)
            self._connection = None
            # What is read next is of another state, in the thread, too.
            self._release()
            reader.raise_if_unusable(error)
            raise

    async def _read_in_session(self, work: Callable[[Session], _T], *, short: bool, predicates: int) -> _T:
        name = ""
        if self._session is None:
            if self._connection is not None:
                name = await self._connection.fetchval(_EXPORT)
            self._session = self._pool.new_session()
        if short:
            with suppress(LongResult):
                return await self._pool.call_on_loop(self._session, work, name)
        await self._pool.acquire(self._session, predicates)
        self._last_call = call = self._pool.submit(self._pool.call, self._session, work, name)
        return await self._pool.finished(call, self._session)

    def _release(self) -> None:
        self._stop_expiry()
        if self._connection is not None and self._reader is not None:
            self._reader.release(self._connection)
            self._connection = None
        if self._session is not None:
            self._pool.end(self._session, self._last_call)
            # The call has its result, which may be large, and which is encoded next.
            self._session = self._last_call = None

    def _stop_expiry(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
