"""A database that opens on first use, again after its file was replaced, and anew after a migration."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.exc import DBAPIError

from gql_server.config.limits import StoreLimits
from gql_server.stores.database_errors import connection_error
from gql_server.stores.file_identity import file_identity
from gql_server.stores.reopening import Reopening
from gql_server.stores.sql.connection_setup import set_up_connection, wait_for_locks
from gql_server.stores.sql.database.database_schema import TRACKING_TABLES, DatabaseSchema
from gql_server.stores.sql.database.inspection import SchemaError, inspect_schema, read_revisions
from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.dialects.selection import dialect_of
from gql_server.stores.sql.prepared_statement import PreparedStatements
from gql_server.stores.sql.tables import RUNS
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri

_MAX_COUNTED_RUNS: Final = 1_000_000
"""Runs that a database counts within a tenth of a second; how many more there are makes no difference."""
_MAX_INSPECTION_SECONDS: Final = 3.0
"""Time to wait for a lock on the tables that are inspected: less than a probe of `/readyz` waits."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenDatabase:
    """A database at one revision: its engine, its dialect, its schema and its prepared statements."""

    engine: Engine
    dialect: Dialect
    schema: DatabaseSchema
    statements: PreparedStatements


class Database:
    """The database at a URI, which the engine of `create_engine` connects to. Its methods block.

    The schema's revision is read again after some time, because the database's owner may upgrade it. The
    database must have the tables `required`, and with `workspaces` it must have workspaces.
    """

    def __init__(
        self,
        uri: str,
        create_engine: Callable[[], Engine],
        limits: StoreLimits,
        *,
        required: Collection[Table] = TRACKING_TABLES,
        workspaces: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uri = uri
        self._create_engine = create_engine
        self._timeout = min(limits.store_timeout, _MAX_INSPECTION_SECONDS)
        self._check_seconds = limits.schema_check_seconds
        self._required = required
        self._workspaces = workspaces
        self._clock = clock
        self._check_lock = Lock()
        self._next_check = 0.0
        self._has_runs = RUNS in required
        self._runs = 0
        self._database = Reopening(self._open, _close, lambda: file_identity(uri), clock)

    def get(self) -> OpenDatabase:
        """Return the open database, with the schema that it has now.

        Raises `StoreConfigError` or `StoreUnavailable` if it does not open.
        """
        database = self._database.get()
        # One thread checks; the others read on with the schema that is known.
        if self._clock() < self._next_check or not self._check_lock.acquire(blocking=False):
            return database
        try:
            return database if self._has_same_revision(database) else self.reopen(database)
        finally:
            self._check_lock.release()

    @property
    def current(self) -> OpenDatabase | None:
        """Return the open database if nothing has to be checked now. This does not block."""
        return self._database.current() if self._clock() < self._next_check else None

    @property
    def runs(self) -> int:
        """Return the number of runs when the schema was checked last, up to a million."""
        return self._runs

    def reopen(self, outdated: OpenDatabase) -> OpenDatabase:
        """Return the database with a newly read schema, unless another thread has read it meanwhile."""
        self._database.discard(outdated)
        return self._database.get()

    def close(self) -> None:
        """Close the connections; the next use opens the database again."""
        self._database.close()

    def _open(self) -> OpenDatabase:
        engine = self._create_engine()
        try:
            dialect = dialect_of(engine)
            statements = PreparedStatements(engine.dialect, has_fixed_text=dialect.has_list_parameter)
            database = OpenDatabase(engine, dialect, self._inspect(engine), statements)
        except BaseException:
            engine.dispose()
            raise
        self._next_check = self._clock() + self._check_seconds
        return database

    def _inspect(self, engine: Engine) -> DatabaseSchema:
        try:
            with engine.connect() as connection:
                dialect = dialect_of(engine)
                set_up_connection(connection, dialect, self._timeout)
                wait_for_locks(connection, dialect, self._timeout)
                schema = inspect_schema(connection, self._required, workspaces=self._workspaces)
                self._count_runs(connection)
                return schema
        except SchemaError as error:
            message = f"{redacted_uri(self._uri)}: {error}"
            raise StoreConfigError(message) from error
        except DBAPIError as error:
            raise connection_error(self._uri, error) from error

    def _count_runs(self, connection: Connection) -> None:
        if self._has_runs:
            counted = select(RUNS.c.run_uuid).limit(_MAX_COUNTED_RUNS).subquery()
            self._runs = connection.scalar(select(func.count()).select_from(counted)) or 0

    def _has_same_revision(self, database: OpenDatabase) -> bool:
        self._next_check = self._clock() + self._check_seconds
        try:
            with database.engine.connect() as connection:
                set_up_connection(connection, database.dialect, self._timeout)
                wait_for_locks(connection, database.dialect, self._timeout)
                revisions = read_revisions(connection)
                self._count_runs(connection)
        except DBAPIError:
            # The statements that follow fail for the same reason, and report it.
            return True
        return list(revisions) == ([database.schema.revision] if database.schema.revision else [])


def _close(database: OpenDatabase) -> None:
    database.engine.dispose()


def database_of(engine: Engine, limits: StoreLimits) -> Database:
    """Return the database of an engine, which need not be limited to reading."""
    return Database(engine.url.render_as_string(hide_password=False), lambda: engine, limits)
