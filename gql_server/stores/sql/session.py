"""One use of one connection by one worker thread, which another thread may cancel."""

import threading
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql import Executable

from gql_server.stores.sql.connection_setup import execute_directly, set_up_connection
from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.dialects.dialect import Dialect
from schema.ports.errors import PublicError
from schema.ports.store_info import StoreFeature

_T = TypeVar("_T")

Row: TypeAlias = tuple[Any, ...]

_CHUNK_SIZE: Final = 1000
"""Rows fetched in one call: few enough that a call blocks other threads for a millisecond or two."""
_MAX_INTERRUPTS: Final = 4
_INTERRUPT_INTERVAL: Final = 0.05
"""Seconds: more than a statement takes to start, or to end once it is interrupted."""


class SessionCancelled(Exception):
    """The caller has left; what the session read is discarded."""


class Session:
    """Statements on one connection; any thread may call `cancel` at any time.

    `workspace` is the workspace that the caller reads, None in a store without workspaces.
    """

    dialect: Dialect
    """The dialect of the database; `run` sets it before it calls `work`."""
    schema: DatabaseSchema
    """The schema of the database; `run` sets it before it calls `work`."""

    def __init__(self, timeout: float, workspace: str | None = None) -> None:
        self.workspace = workspace
        self._database: OpenDatabase | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._cancelled = False
        self._released = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Return whether the caller has left."""
        return self._cancelled

    def run(self, database: OpenDatabase, work: Callable[["Session"], _T]) -> _T:
        """Call `work` while the session has a connection, and release the connection afterwards."""
        self._raise_if_cancelled()
        self._database, self.dialect, self.schema = database, database.dialect, database.schema
        self._released.clear()
        with database.engine.connect() as connection:
            set_up_connection(connection, database.dialect, self._timeout)
            with self._lock:
                self._connection = connection
            try:
                return work(self)
            except PublicError:
                raise
            except BaseException:
                # Drivers differ in the state of a connection after an error; the pool opens a new one.
                connection.invalidate()
                raise
            finally:
                with self._lock:
                    self._connection = None
                    if self._cancelled:
                        # A late interrupt must not affect the next user of the connection.
                        connection.invalidate()
                self._released.set()

    def rows(self, statement: Executable, *, of: StoreFeature | None = None) -> list[Row]:
        """Return all rows of a statement; none if the database lacks the feature that it reads."""
        rows: list[Row] = []
        if of is not None and not self.schema.has(of):
            return rows
        for chunk in self.chunks(statement, stream=False):
            rows += chunk
        return rows

    def chunks(
        self, statement: Executable, *, size: int = _CHUNK_SIZE, stream: bool = True
    ) -> Generator[list[Row]]:
        """Yield the rows of a statement in lists of at most `size`.

        Streamed rows are in the database until they are fetched, if the driver supports this.
        """
        self._raise_if_cancelled()
        options = {"stream_results": stream and self.dialect.streams_rows}
        result: CursorResult[Any] = self._open_connection().execute(statement, execution_options=options)
        try:
            while fetched := _fetch(result, size):
                self._raise_if_cancelled()
                yield self.dialect.as_rows(fetched)
        finally:
            result.close()

    def begin_snapshot(self) -> None:
        """Make all further statements see one state of the database.

        Otherwise a statement may see what was committed after the statement before it.
        """
        statement = self.dialect.snapshot_statement
        if statement:
            execute_directly(self._open_connection(), statement)

    def cancel(self) -> None:
        """Interrupt the statement that runs, and let no other start."""
        self._cancelled = True
        for _ in range(_MAX_INTERRUPTS):
            with self._lock:
                if self._connection is None or self._database is None:
                    return
                driver_connection = self._connection.connection.dbapi_connection
                self.dialect.interrupt(self._database.engine, driver_connection)
            # An interrupt has no effect on a statement that is about to start; by now it has started.
            self._released.wait(_INTERRUPT_INTERVAL)

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise SessionCancelled
        return self._connection

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise SessionCancelled


def _fetch(result: CursorResult[Any], size: int) -> Any:
    """Return the driver's own rows: SQLAlchemy's rows cost more to make, and their names are not used.

    The result's cursor strategy handles the first row that it fetches early from a server-side cursor, and
    the end of the rows.
    """
    strategy: Any = result.cursor_strategy
    return strategy.fetchmany(result, result.cursor, size)
