"""One use of one connection by one thread, which another thread may break off."""

import threading
from collections.abc import Callable, Generator
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, CursorResult, Engine
from sqlalchemy.sql import Executable

from gql_server.stores.sql.dialect import add_functions, preparations, snapshot
from schema.ports.errors import PublicError

_T = TypeVar("_T")

Row = tuple[Any, ...]

_ROWS_AT_ONCE: Final = 1000
"""Few enough that fetching them keeps other threads waiting for a millisecond or two."""
_INTERRUPTS: Final = 4
_BETWEEN: Final = 0.05
"""Seconds, more than a statement takes to begin, or to end once it is interrupted."""


class SessionCancelled(Exception):
    """Whoever asked has left; what was read so far is thrown away."""


class Session:
    """Statements on one connection; `break_off` may be called from any thread and at any time."""

    def __init__(self, open_: Callable[[], Engine], seconds: float) -> None:
        self.dialect = ""
        self._open = open_
        self._engine: Engine | None = None
        self._seconds = seconds
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._broken_off = False
        self._left = threading.Event()

    @property
    def broken_off(self) -> bool:
        """Say whether nobody waits for the answer any more."""
        return self._broken_off

    def run(self, work: Callable[["Session"], _T]) -> _T:
        """Call `work` with a connection at hand, and give the connection back afterwards."""
        self._check()
        self._engine = engine = self._open()
        self.dialect = engine.dialect.name
        with engine.connect() as connection:
            self._prepare(connection)
            with self._lock:
                self._connection = connection
            try:
                return work(self)
            except PublicError:
                raise
            except BaseException:
                # What a connection is good for after an error, drivers differ on; the pool makes a new one.
                connection.invalidate()
                raise
            finally:
                with self._lock:
                    self._connection = None
                    if self._broken_off:
                        # A late interrupt must not hit the next one to use it.
                        connection.invalidate()
                self._left.set()

    def rows(self, statement: Executable) -> list[Row]:
        """Return all rows of a statement, as the driver makes them."""
        rows: list[Row] = []
        for chunk in self.chunks(statement, stream=False):
            rows += chunk
        return rows

    def chunks(
        self, statement: Executable, *, size: int = _ROWS_AT_ONCE, stream: bool = True
    ) -> Generator[list[Row]]:
        """Give the rows of a statement in lists of at most `size`, as the driver makes them.

        Streamed rows stay in the database until they are asked for, where the driver has a way to.
        """
        self._check()
        # The driver for SQLite has no rows in hand anyway.
        options = {"stream_results": stream and self.dialect != "sqlite"}
        result: CursorResult[Any] = self._current().execute(statement, execution_options=options)
        try:
            while chunk := _fetch(result, size):
                self._check()
                yield [*map(tuple, chunk)] if self.dialect == "mssql" else list(chunk)
        finally:
            result.close()

    def snapshot(self) -> None:
        """Let all further statements see one state; without it, each may see what was committed before it."""
        statement = snapshot(self.dialect)
        if statement:
            self._say(self._current(), statement)

    def break_off(self) -> None:
        """Stop the statement that runs, and let no other start."""
        self._broken_off = True
        for _ in range(_INTERRUPTS):
            with self._lock:
                if self._connection is None or self._engine is None:
                    return
                _interrupt(self._engine, self._connection.connection.dbapi_connection)
            # One that was about to begin has begun by then, and is none the wiser.
            self._left.wait(_BETWEEN)

    def _current(self) -> Connection:
        if self._connection is None:
            raise SessionCancelled
        return self._connection

    def _check(self) -> None:
        if self._broken_off:
            raise SessionCancelled

    def _prepare(self, connection: Connection) -> None:
        if connection.info.setdefault("gql_functions", False) is False:
            # Once a connection: adding one makes SQLite compile all its statements anew.
            add_functions(self.dialect, connection.connection.dbapi_connection)
            connection.info["gql_functions"] = True
        for statement in preparations(self.dialect, self._seconds):
            self._say(connection, statement)

    def _say(self, connection: Connection, statement: str) -> None:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
        finally:
            cursor.close()


def _fetch(result: CursorResult[Any], size: int) -> Any:
    """Return the driver's own rows: SQLAlchemy's cost more to make, and nobody asks for their names.

    Its strategy knows of the row that it fetches early from a server's cursor, and of the end.
    """
    strategy: Any = result.cursor_strategy
    return strategy.fetchmany(result, result.cursor, size)


def _interrupt(engine: Engine, connection: Any) -> None:
    """Interrupt what a connection of a driver is doing, by the means that the driver has."""
    if hasattr(connection, "interrupt"):  # sqlite3
        connection.interrupt()
    elif hasattr(connection, "cancel"):  # psycopg2, psycopg
        connection.cancel()
    elif hasattr(connection, "thread_id"):  # PyMySQL, mysqlclient
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {int(connection.thread_id())}")
