"""One use of one connection by one worker thread, which another thread may cancel."""

import threading
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.sql import Executable

from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.dialects.selection import dialect_of
from schema.ports.errors import PublicError

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
    """The dialect of the engine; `run` sets it before it calls `work`."""

    def __init__(
        self, open_engine: Callable[[], Engine], timeout: float, workspace: str | None = None
    ) -> None:
        self.workspace = workspace
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._cancelled = False
        self._released = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Return whether the caller has left."""
        return self._cancelled

    def run(self, work: Callable[["Session"], _T]) -> _T:
        """Call `work` while the session has a connection, and release the connection afterwards."""
        self._raise_if_cancelled()
        self._engine = engine = self._open_engine()
        self.dialect = dialect_of(engine)
        with engine.connect() as connection:
            self._set_up(connection)
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

    def rows(self, statement: Executable) -> list[Row]:
        """Return all rows of a statement."""
        rows: list[Row] = []
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
            _execute(self._open_connection(), statement)

    def cancel(self) -> None:
        """Interrupt the statement that runs, and let no other start."""
        self._cancelled = True
        for _ in range(_MAX_INTERRUPTS):
            with self._lock:
                if self._connection is None or self._engine is None:
                    return
                self.dialect.interrupt(self._engine, self._connection.connection.dbapi_connection)
            # An interrupt has no effect on a statement that is about to start; by now it has started.
            self._released.wait(_INTERRUPT_INTERVAL)

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise SessionCancelled
        return self._connection

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise SessionCancelled

    def _set_up(self, connection: Connection) -> None:
        if connection.info.setdefault("gql_functions", False) is False:
            # Once for each connection: adding a function makes SQLite compile all its statements again.
            self.dialect.add_functions(connection.connection.dbapi_connection)
            connection.info["gql_functions"] = True
        for statement in self.dialect.setup_statements(self._timeout):
            _execute(connection, statement)


def _execute(connection: Connection, statement: str) -> None:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _fetch(result: CursorResult[Any], size: int) -> Any:
    """Return the driver's own rows: SQLAlchemy's rows cost more to make, and their names are not used.

    The result's cursor strategy handles the first row that it fetches early from a server-side cursor, and
    the end of the rows.
    """
    strategy: Any = result.cursor_strategy
    return strategy.fetchmany(result, result.cursor, size)
