"""Sessions in worker threads: limited in number and time, and cancelled with their callers."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gql_server.runtime.threads import Threads
from gql_server.stores.sql.database.database import Database
from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.driver_errors import (
    database_timeout,
    is_schema_error,
    public_error_from_driver,
)
from gql_server.stores.sql.session import Session, SessionCancelled

_T = TypeVar("_T")


class SessionPool:
    """Reads from a database in worker threads, so that the event loop is not blocked.

    The database is opened in the worker threads. `workspace` is called in the context of each caller.
    `timeout` is in seconds for one call.
    """

    def __init__(
        self,
        database: Database,
        threads: int,
        timeout: float,
        workspace: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._database = database
        self._timeout = timeout
        self._workspace = workspace
        self._threads = Threads(threads, "database")
        # An interrupt is a round trip to the database, and must not wait for the statements that it ends.
        self._interrupt_threads = Threads(1, "interrupts")

    async def read(self, work: Callable[[Session], _T]) -> _T:
        """Return the result of `work` in a thread; a cancelled caller cancels the statement.

        The time spent waiting for a free thread counts toward the timeout. Raise `StoreTimeout` after the
        timeout and `StoreUnavailable` if the database cannot be used now.
        """
        session = Session(self._timeout, self._workspace())
        return await self._call(session, lambda: self._run(session, work))

    async def schema(self) -> DatabaseSchema:
        """Return the schema of the database; raise `StoreTimeout` or `StoreUnavailable`."""
        return await self._call(Session(self._timeout), lambda: self._database.get().schema)

    async def close(self) -> None:
        """Release the threads without waiting for the statements that still run."""
        self._threads.close()
        self._interrupt_threads.close(run_queued=True)

    async def _call(self, session: Session, function: Callable[[], _T]) -> _T:
        call = self._threads.submit(self._with_public_errors, session, function)
        result: asyncio.Future[_T] = asyncio.wrap_future(call)
        try:
            async with asyncio.timeout(self._timeout):
                return await result
        except TimeoutError as error:
            raise database_timeout(self._timeout) from error
        finally:
            if result.cancelled():
                self._interrupt_threads.submit(session.cancel)

    def _run(self, session: Session, work: Callable[[Session], _T]) -> _T:
        database = self._database.get()
        try:
            return session.run(database, work)
        except Exception as error:
            if session.cancelled or not is_schema_error(error):
                raise
            # The database was migrated since its schema was read.
            return session.run(self._database.reopen(database), work)

    def _with_public_errors(self, session: Session, function: Callable[[], _T]) -> _T:
        try:
            return function()
        except Exception as error:
            if session.cancelled:
                raise SessionCancelled from error
            public_error = public_error_from_driver(error, self._timeout)
            if public_error is None:
                raise
            raise public_error from error
