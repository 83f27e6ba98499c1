"""Reads from a database: limited in number and time, and cancelled with their callers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeVar

from typing_extensions import override

from gql_server.runtime.fair_semaphore import FairSemaphore
from gql_server.runtime.threads import Threads
from gql_server.stores.sql.database.database import Database, OpenDatabase
from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.driver_errors import database_timeout, is_schema_error, public_error_from_driver
from gql_server.stores.sql.event_loop.loop_reader import LoopReader, LoopUnavailable
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.session import Session, SessionCancelled
from gql_server.stores.sql.short_reads import LongResult, weight_of
from gql_server.stores.sql.thread_session import ThreadSession
from gql_server.stores.sql.time_slice import TimeSlice
from schema.ports.errors import PublicError

_T = TypeVar("_T")

_END_SECONDS: Final = 2.0
"""Time for sessions to end their transactions when the server stops."""
_OTHERS_SHARE: Final = 4
"""One of so many connections is for others than the client with the most statements."""


class SessionPool(Reader):
    """Reads in worker threads, and short results on the event loop if there is a `loop_reader` for it.

    Each call of `read` has a connection of its own; `Snapshot` keeps one for several calls. The database is
    opened in the worker threads. `workspace` is called in the context of each caller. `timeout` is in seconds
    for one call; the time spent waiting for a connection counts toward it.
    """

    def __init__(
        self,
        database: Database,
        threads: int,
        timeout: float,
        workspace: Callable[[], str | None] = lambda: None,
        loop_reader: LoopReader | None = None,
    ) -> None:
        self._database = database
        self._timeout = timeout
        self._workspace = workspace
        self._threads = Threads(threads, "database")
        # An interrupt is a round trip to the database, and must not wait for the statements that it ends.
        self._interrupt_threads = Threads(1, "interrupts")
        # No thread waits for a connection: those who have one may wait for the thread.
        self._connections = FairSemaphore(threads, max(1, threads - threads // _OTHERS_SHARE))
        # Short reads on the event loop wait for no statement of a thread. One is there at a time.
        self._loop_connections = FairSemaphore(threads, threads)
        self._loop_reader = loop_reader
        self._ending: set[Future[None]] = set()

    @property
    def loop_reader(self) -> LoopReader | None:
        """Return the reader for short results; None if worker threads read them."""
        reader = self._loop_reader
        return reader if reader is not None and reader.usable else None

    @override
    async def read(self, work: Callable[[Session], _T], *, short: bool = False, predicates: int = 0) -> _T:
        return await self.limited(self._read(work, short=short, predicates=predicates))

    @override
    async def schema(self) -> DatabaseSchema:
        return (await self.limited(self._open_database())).schema

    async def close(self) -> None:
        """Release the connections and the threads; statements that still run may end later."""
        if self._loop_reader is not None:
            await self._loop_reader.close()
        if self._ending:
            # A connection that is given back later is not closed with the others.
            ending = [asyncio.wrap_future(ended) for ended in list(self._ending)]
            await asyncio.wait(ending, timeout=_END_SECONDS)
        self._threads.close()
        self._interrupt_threads.close(run_queued=True)

    async def limited(self, call: Coroutine[Any, Any, _T]) -> _T:
        """Return the result of a call within the timeout, and convert errors to public ones."""
        try:
            async with asyncio.timeout(self._timeout):
                return await call
        except TimeoutError as error:
            raise database_timeout(self._timeout) from error
        except PublicError:
            raise
        except Exception as error:
            public_error = public_error_from_driver(error, self._timeout)
            if public_error is None:
                raise
            raise public_error from error

    async def with_schema(self, call: Callable[[OpenDatabase], Awaitable[_T]]) -> _T:
        """Return the result of a call; repeat it if the database was migrated since its schema was read."""
        database = await self._open_database()
        try:
            return await call(database)
        except Exception as error:
            if not is_schema_error(error):
                raise
        return await call(await self._threads.run(self._database.reopen, database))

    def new_session(self) -> ThreadSession:
        """Return a session for the workspace of the caller."""
        return ThreadSession(self._timeout, self._workspace())

    def caller_workspace(self) -> str | None:
        """Return the workspace of the caller."""
        return self._workspace()

    async def acquire(self, session: ThreadSession, predicates: int = 0) -> None:
        """Wait until a session may use a connection in a worker thread, if it may not yet."""
        if not session.may_use_threads:
            session.permits.append(
                await self._connections.acquire(weight_of(predicates, self._database.runs))
            )
            session.may_use_threads = True

    def end(self, session: ThreadSession, last_call: "Future[Any] | None") -> None:
        """End a session after its last call in a thread, and let another session have its connection.

        A session without a call in a thread is ended at once.
        """
        if last_call is None:
            try:
                session.end()
            finally:
                session.release_permits()
            return
        loop = asyncio.get_running_loop()
        ended: Future[None] = Future()
        self._ending.add(ended)
        ended.add_done_callback(self._ending.discard)

        def end_and_release(_: object = None) -> None:
            try:
                session.end()
            finally:
                ended.set_result(None)
                # The loop is closed if the program ends meanwhile.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(session.release_permits)

        if last_call.done():
            self.submit(end_and_release)
        else:
            last_call.add_done_callback(end_and_release)

    def submit(self, function: Callable[..., _T], *arguments: object) -> "Future[_T]":
        """Call a function in a worker thread, whether or not a caller waits for it."""
        return self._threads.submit(function, *arguments)

    async def finished(self, call: "Future[_T]", session: ThreadSession) -> _T:
        """Wait for a call that uses a session; a cancelled caller interrupts the session."""
        result = asyncio.wrap_future(call)
        try:
            return await result
        finally:
            if result.cancelled():
                self._interrupt_threads.submit(session.cancel)

    def call(self, session: ThreadSession, work: Callable[[Session], _T], snapshot: str | None = None) -> _T:
        """Call a reading function in this thread, and open the session first if it is not.

        `snapshot` is the name of an exported snapshot; an empty text stands for a new one. The call is
        repeated once for a connection that was lost while nobody used it, and for a database that was
        migrated since its schema was read.
        """
        database = session.database if session.open else self._database.get()
        try:
            return session.begin_and_call(database, work, snapshot)
        except PublicError:
            raise
        except Exception as error:
            session.end()
            if session.cancelled:
                raise SessionCancelled from error
            if is_schema_error(error):
                database = self._database.reopen(database)
            elif session.lost:
                # The others were probably lost with it, as when the database was started again.
                database.engine.dispose()
            else:
                raise
        return session.begin_and_call(database, work, snapshot)

    async def call_on_loop(
        self, session: ThreadSession, work: Callable[[Session], _T], snapshot: str | None = None
    ) -> _T:
        """Call a reading function on the event loop, once the session may have a connection.

        Raise `LongResult` for what a worker thread has to do: a long read, and opening a database or waiting
        for a lock.
        """
        database = self._database.current
        if database is None or not database.dialect.reads_on_event_loop:
            raise LongResult
        if not session.permits:
            session.permits.append(await self._loop_connections.acquire())
        was_open = session.open
        try:
            return session.begin_and_call(database, work, snapshot, TimeSlice())
        except (PublicError, LongResult):
            raise
        except Exception as error:
            if was_open:
                raise
            session.end()
            raise LongResult from error

    async def _read(self, work: Callable[[Session], _T], *, short: bool, predicates: int) -> _T:
        reader = self.loop_reader if short else None
        if reader is not None:
            try:
                workspace = self._workspace()
                return await self.with_schema(lambda database: reader.read(database, work, workspace))
            except (LoopUnavailable, LongResult):
                pass
        session = self.new_session()
        try:
            if short:
                with suppress(LongResult):
                    return await self.call_on_loop(session, work)
            await self.acquire(session, predicates)
        finally:
            if not session.may_use_threads:
                self.end(session, None)
        call = self.submit(self._call_and_end, session, work)
        try:
            return await self.finished(call, session)
        finally:
            if call.done():
                session.release_permits()
            else:
                self.end(session, call)

    def _call_and_end(self, session: ThreadSession, work: Callable[[Session], _T]) -> _T:
        try:
            return self.call(session, work)
        finally:
            session.end()

    async def _open_database(self) -> OpenDatabase:
        current = self._database.current
        if current is not None:
            return current
        return await self._threads.run(self._database.get)
