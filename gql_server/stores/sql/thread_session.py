"""A session of a worker thread, which another thread may cancel."""

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from sys import getsizeof
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from typing_extensions import override

from gql_server.runtime.fair_semaphore import Permit
from gql_server.runtime.operation_budget import Meter, current_meter
from gql_server.stores.sql.connection_setup import (
    execute_directly,
    is_set_up,
    set_up_connection,
    wait_for_locks,
)
from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.prepared_statement import PreparedStatement, PreparedStatements
from gql_server.stores.sql.session import CHUNK_SIZE, NO_VALUES, Row, Session, SessionCancelled
from gql_server.stores.sql.short_reads import LongResult
from gql_server.stores.sql.time_slice import TimeSlice
from schema.ports.errors import PublicError
from schema.ports.table import Table

_T = TypeVar("_T")

_MAX_INTERRUPTS: Final = 4
_POINT_BYTES: Final = 32
"""Bytes of a point in the columns of the port."""
_SAMPLED_ROWS: Final = 50
"""Rows of a chunk of which the bytes are counted."""
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
        self._meter: Meter | None = None
        self.permits: list[Permit] = []
        """What the session holds of its pool's semaphores."""
        self.may_use_threads = False
        """Whether one of them is for a worker thread."""

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
        self,
        database: OpenDatabase,
        work: Callable[[Session], _T],
        snapshot: str | None = None,
        time_slice: TimeSlice | None = None,
    ) -> _T:
        """Return the result of `work`; take a connection first if the session has none.

        With `snapshot`, all statements see one state of the database: that of the exported snapshot of this
        name, or for an empty text the present one. With `time_slice`, which is for the event loop, raise
        `LongResult` when it is over; the session remains in the same state of the database.
        """
        self._raise_if_cancelled()
        self._idle.clear()
        self.on_event_loop = time_slice is not None
        try:
            if not self.open:
                self._begin(database, snapshot)
            return self._limited(work, time_slice)
        except (PublicError, LongResult):
            raise
        except BaseException:
            # Drivers differ in the state of a connection after an error; the pool opens a new one.
            self._broken = True
            raise
        finally:
            self._idle.set()

    def _limited(self, work: Callable[[Session], _T], time_slice: TimeSlice | None) -> _T:
        connection = self._open_connection()
        if time_slice is None:
            wait_for_locks(connection, self.dialect, self._timeout)
            return self._metered(work, connection)
        wait_for_locks(connection, self.dialect, 0)
        driver_connection = connection.connection.dbapi_connection
        self.dialect.limit_time(driver_connection, time_slice.is_over)
        try:
            return work(self)
        except Exception as error:
            if time_slice.was_exceeded:
                raise LongResult from error
            raise
        finally:
            self.dialect.limit_time(driver_connection, None)

    def _metered(self, work: Callable[[Session], _T], connection: Connection) -> _T:
        """Return the result of `work`; raise `LimitExceeded` if the operation takes too much time."""
        self._meter = meter = current_meter.get()
        if meter is None:
            return work(self)
        meter.check()
        driver_connection = connection.connection.dbapi_connection
        self.dialect.limit_time(driver_connection, meter.note, long=True)
        try:
            result = work(self)
        except Exception:
            # A statement that the meter ended has an error of the driver.
            meter.check()
            raise
        else:
            rows = getattr(result, "rows", None)
            if isinstance(rows, Table):
                meter.release_with(rows)
            return result
        finally:
            self.dialect.limit_time(driver_connection, None)
            self._meter = None

    @property
    def lost(self) -> bool:
        """Return whether a connection could not be taken because it had ended while nobody used it."""
        return self._lost

    def release_permits(self) -> None:
        """Give back what the session holds of the semaphores; to be called on the event loop."""
        while self.permits:
            self.permits.pop().release()

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
        self,
        statement: Executable | PreparedStatement,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        size: int = CHUNK_SIZE,
        stream: bool = True,
    ) -> Generator[list[Row]]:
        self._raise_if_cancelled()
        if isinstance(statement, PreparedStatement):
            if statement.text is not None:
                yield from self._text_chunks(statement.text, statement.arguments(values), size)
                return
            statement = statement.statement
        options = {"stream_results": stream and self.dialect.streams_rows}
        connection = self._open_connection()
        yield from self._parts(connection.execute(statement, values, execution_options=options), size)

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
        rows: list[Row] = []
        for chunk in self.chunks(statement, values, stream=False):
            rows += chunk
            if self._meter is not None:
                self._meter.add_bytes(_bytes_of(chunk))
        return rows

    @override
    def count_points(self, points: int) -> None:
        if self._meter is not None:
            # The graph takes the columns out of the table.
            self._meter.add_bytes(points * _POINT_BYTES, until_end=True)

    def _text_chunks(self, text: str, arguments: Any, size: int) -> Generator[list[Row]]:
        """Execute a compiled statement by the driver's own cursor: SQLAlchemy takes longer than SQLite."""
        connection = self._open_connection()
        if connection.engine.dispatch.before_cursor_execute:
            # Someone listens to the engine's statements.
            arguments = arguments if isinstance(arguments, dict) else tuple(arguments)
            yield from self._parts(connection.exec_driver_sql(text, arguments), size)
            return
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, arguments)
            while fetched := cursor.fetchmany(size):
                self._raise_if_cancelled()
                yield self.dialect.as_rows(fetched)
        finally:
            cursor.close()

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
        if self._meter is not None:
            self._meter.check()


def _bytes_of(rows: Sequence[Row]) -> int:
    """Return the bytes of rows in memory, by a sample."""
    sample = rows[:: 1 + len(rows) // _SAMPLED_ROWS]
    size = sum(getsizeof(row) + sum(map(getsizeof, row)) for row in sample)
    return size * len(rows) // max(1, len(sample))


def _fetch(result: CursorResult[Any], size: int) -> Any:
    """Return the driver's own rows: SQLAlchemy's rows cost more to make, and their names are not used.

    The result's cursor strategy handles the first row that it fetches early from a server-side cursor, and
    the end of the rows.
    """
    strategy: Any = result.cursor_strategy
    return strategy.fetchmany(result, result.cursor, size)
