"""A session of a worker thread, which another thread may cancel."""

import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from typing_extensions import override

from gql_server.stores.sql.connection_setup import execute_directly, is_set_up, set_up_connection
from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.prepared_statement import PreparedStatement, PreparedStatements
from gql_server.stores.sql.session import CHUNK_SIZE, Row, Session, SessionCancelled
from schema.ports.errors import PublicError

_T = TypeVar("_T")

_MAX_INTERRUPTS: Final = 4
_INTERRUPT_INTERVAL: Final = 0.05
"""Seconds: more than a statement takes to start, or to end once it is interrupted."""


class ThreadSession(Session):
    """Statements on one connection of SQLAlchemy; any thread may call `cancel` at any time.

    `begin_and_call` takes a connection, and further calls use it until `end` releases it. They are called by
    one thread at a time.
    """

    def __init__(self, timeout: float, workspace: str | None = None) -> None:
        super().__init__(workspace)
        self._database: OpenDatabase | None = None
        self._timeout = timeout
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._cancelled = False
        self._broken = self._lost = self._in_snapshot = False
        self._idle = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Return whether the caller has left."""
        return self._cancelled

    @property
    def open(self) -> bool:
        """Return whether the session has a connection that is intact."""
        return self._connection is not None and not self._broken

    @property
    def database(self) -> OpenDatabase:
        """Return the database that the session was begun with."""
        if self._database is None:
            raise SessionCancelled
        return self._database

    def begin_and_call(
        self, database: OpenDatabase, work: Callable[[Session], _T], snapshot: str | None = None
    ) -> _T:
        """Return the result of `work`; take a connection first if the session has none.

        With `snapshot`, all statements see one state of the database: that of the exported snapshot of this
        name, or for an empty text the present one.
        """
        self._raise_if_cancelled()
        self._idle.clear()
        try:
            if not self.open:
                self._begin(database, snapshot)
            return work(self)
        except PublicError:
            raise
        except BaseException:
            # Drivers differ in the state of a connection after an error; the pool opens a new one.
            self._broken = True
            raise
        finally:
            self._idle.set()

    @property
    def lost(self) -> bool:
        """Return whether a connection could not be taken because it had ended while nobody used it."""
        return self._lost

    def end(self) -> None:
        """Release the connection, if there is one."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            # A late interrupt must not affect the next user of the connection.
            if self._broken or self._cancelled:
                connection.invalidate()
        connection.close()

    @override
    def _statements(self) -> PreparedStatements:
        return self.database.statements

    @override
    def chunks(
        self, statement: Executable, *, size: int = CHUNK_SIZE, stream: bool = True
    ) -> Generator[list[Row]]:
        yield from self._chunks(statement, {}, size, stream=stream)

    @override
    def begin_snapshot(self) -> None:
        statement = self.dialect.snapshot_statement
        if statement and not self._in_snapshot:
            execute_directly(self._open_connection(), statement)
        self._in_snapshot = True

    def _begin(self, database: OpenDatabase, snapshot: str | None) -> None:
        self._database, self.dialect, self.schema = database, database.dialect, database.schema
        self._broken = self._lost = self._in_snapshot = False
        connection = database.engine.connect()
        with self._lock:
            self._connection = connection
        was_used = is_set_up(connection)
        try:
            set_up_connection(connection, database.dialect, self._timeout)
        except Exception as error:
            self._lost = was_used and self._is_disconnect(error)
            raise
        if snapshot is not None:
            self.begin_snapshot()
        if snapshot:
            execute_directly(connection, f"SET TRANSACTION SNAPSHOT '{snapshot}'")

    def _is_disconnect(self, error: BaseException) -> bool:
        if isinstance(error, DBAPIError):
            return error.connection_invalidated
        dialect, connection = self.database.engine.dialect, self._connection
        if dialect.dbapi is None or connection is None or not isinstance(error, dialect.dbapi.Error):
            return False
        return dialect.is_disconnect(error, connection.connection.dbapi_connection, None)

    def cancel(self) -> None:
        """Interrupt the statement that runs, and let no other start."""
        self._cancelled = True
        for _ in range(_MAX_INTERRUPTS):
            with self._lock:
                if self._connection is None or self._database is None or self._idle.is_set():
                    return
                driver_connection = self._connection.connection.dbapi_connection
                self.dialect.interrupt(self._database.engine, driver_connection)
            # An interrupt has no effect on a statement that is about to start; by now it has started.
            self._idle.wait(_INTERRUPT_INTERVAL)

    @override
    def _fetch_all(self, statement: Executable | PreparedStatement, values: Mapping[str, Any]) -> list[Row]:
        if isinstance(statement, PreparedStatement):
            if statement.text is not None:
                return self._fetch_text(statement.text, statement.arguments(values))
            statement = statement.statement
        rows: list[Row] = []
        for chunk in self._chunks(statement, values, CHUNK_SIZE, stream=False):
            rows += chunk
        return rows

    def _fetch_text(self, text: str, arguments: Any) -> list[Row]:
        """Execute a compiled statement by the driver's own cursor: SQLAlchemy takes longer than SQLite."""
        self._raise_if_cancelled()
        connection = self._open_connection()
        if connection.engine.dispatch.before_cursor_execute:
            # Someone listens to the engine's statements.
            arguments = arguments if isinstance(arguments, dict) else tuple(arguments)
            return self._all(connection.exec_driver_sql(text, arguments))
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, arguments)
            rows: list[Row] = []
            while fetched := cursor.fetchmany(CHUNK_SIZE):
                self._raise_if_cancelled()
                rows += self.dialect.as_rows(fetched)
            return rows
        finally:
            cursor.close()

    def _chunks(
        self, statement: Executable, values: Mapping[str, Any], size: int, *, stream: bool
    ) -> Generator[list[Row]]:
        self._raise_if_cancelled()
        options = {"stream_results": stream and self.dialect.streams_rows}
        connection = self._open_connection()
        yield from self._parts(connection.execute(statement, values, execution_options=options), size)

    def _all(self, result: CursorResult[Any]) -> list[Row]:
        return [row for part in self._parts(result, CHUNK_SIZE) for row in part]

    def _parts(self, result: CursorResult[Any], size: int) -> Generator[list[Row]]:
        try:
            while fetched := _fetch(result, size):
                self._raise_if_cancelled()
                yield self.dialect.as_rows(fetched)
        finally:
            result.close()

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
