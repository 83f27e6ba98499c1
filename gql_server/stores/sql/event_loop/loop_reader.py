"""Short reads from PostgreSQL on the event loop."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.event_loop.connections import Connections
from gql_server.stores.sql.event_loop.loop_session import LoopSession
from gql_server.stores.sql.prepared_statement import PreparedStatements
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.short_reads import LongResult

if TYPE_CHECKING:
    from asyncpg import Connection

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_LOST_STATES: Final = {"08003", "08006", "57P01", "57P02", "57P05"}
"""The errors of a connection that ended while it was idle."""
_POOLER_STATES: Final = {"08P01", "26000", "42P05"}
"""The errors of a connection pooler between this server and the database.

protocol_violation: it does not pass on the settings of a connection. invalid_sql_statement_name and
duplicate_prepared_statement: it gives each transaction another connection.
"""


class LoopUnavailable(Exception):
    """asyncpg cannot be used for this read; a worker thread reads instead, or reports what is wrong."""


class LoopReader:
    """Reads with up to `size` connections of asyncpg, in one event loop."""

    def __init__(self, options: dict[str, Any], size: int) -> None:
        self._connections = Connections(options, size)
        self._statements: tuple[OpenDatabase, PreparedStatements] | None = None
        self.usable = True
        """Whether asyncpg has not been found unusable with this database."""

    async def acquire(self) -> "Connection[Any]":
        """Return a connection; raise `LoopUnavailable` if none can be made."""
        try:
            return await self._connections.acquire()
        except Exception as error:
            raise self._unavailable(error) from error

    async def begin(self) -> "Connection[Any]":
        """Return a connection in a transaction in which all statements see one state of the database."""
        connection = await self.acquire()
        try:
            await self._connections.begin(connection)
        except BaseException as error:
            self.discard(connection)
            self.raise_if_unusable(error)
            raise
        return connection

    async def call(
        self,
        connection: "Connection[Any]",
        database: OpenDatabase,
        work: Callable[[Session], _T],
        workspace: str | None,
    ) -> _T:
        """Return the result of a reading function on a connection."""
        session = LoopSession(connection, database, self._prepared(database), workspace)
        return await session.run(work)

    async def read(self, database: OpenDatabase, work: Callable[[Session], _T], workspace: str | None) -> _T:
        """Return the result of a reading function, each of whose statements is a transaction by itself."""
        connection = await self.acquire()
        try:
            result = await self.call(connection, database, work, workspace)
        except LongResult:
            self.release(connection)
            raise
        except BaseException as error:
            self.discard(connection)
            self.raise_if_unusable(error)
            raise
        self.release(connection)
        return result

    def release(self, connection: "Connection[Any]") -> None:
        """Give back a connection, without waiting for the end of its transaction."""
        self._connections.release(connection)

    def discard(self, connection: "Connection[Any]") -> None:
        """Give back a connection on which a statement failed or was cancelled."""
        self._connections.discard(connection)

    def raise_if_unusable(self, error: BaseException) -> None:
        """Raise `LoopUnavailable` for an error of the connection rather than of the statement."""
        if _is_lost(error):
            # The others were probably lost with it, as when the database was started again.
            self._connections.drop_idle()
            raise LoopUnavailable from error
        if getattr(error, "sqlstate", None) in _POOLER_STATES:
            raise self._unavailable(error) from error

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    def _prepared(self, database: OpenDatabase) -> PreparedStatements:
        if self._statements is None or self._statements[0] is not database:
            self._statements = database, PreparedStatements(PGDialect_asyncpg(), has_fixed_text=True)
        return self._statements[1]

    def _unavailable(self, error: BaseException) -> LoopUnavailable:
        # A database that cannot be reached may be back soon; anything else will not change.
        if self.usable and not isinstance(error, OSError | TimeoutError) and not _is_temporary(error):
            self.usable = False
            text = "asyncpg does not work with this database (%s); worker threads read it, more slowly."
            _log.warning(text, type(error).__name__)
        return LoopUnavailable()


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, ConnectionError) or getattr(error, "sqlstate", None) in _LOST_STATES


def _is_temporary(error: BaseException) -> bool:
    # 53: insufficient resources, such as too many connections; 57P03: the database starts.
    state = getattr(error, "sqlstate", None) or ""
    return state.startswith("53") or state in {"57P03", *_LOST_STATES}
