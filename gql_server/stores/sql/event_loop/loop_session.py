"""A session on the event loop."""

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.sql import Executable
from sqlalchemy.util import await_only, greenlet_spawn
from typing_extensions import override

from gql_server.stores.sql.database.database import OpenDatabase
from gql_server.stores.sql.event_loop.connections import Connections
from gql_server.stores.sql.prepared_statement import PreparedStatement, PreparedStatements
from gql_server.stores.sql.session import CHUNK_SIZE, NO_VALUES, Row, Session

if TYPE_CHECKING:
    from asyncpg import Connection

_T = TypeVar("_T")


class LoopSession(Session):
    """Statements on one connection of asyncpg.

    Reading functions do not await: `run` calls one in a greenlet, which is suspended while a statement runs.
    SQLAlchemy does the same for its own asynchronous engines.
    """

    on_event_loop = True

    def __init__(
        self,
        connection: "Connection[Any]",
        database: OpenDatabase,
        statements: PreparedStatements,
        workspace: str | None,
    ) -> None:
        super().__init__(workspace)
        self.dialect, self.schema = database.dialect, database.schema
        self._connection = connection
        self._prepared = statements

    async def run(self, work: Callable[[Session], _T]) -> _T:
        """Return the result of a reading function."""
        return await greenlet_spawn(work, self)

    @override
    def _statements(self) -> PreparedStatements:
        return self._prepared

    @override
    def chunks(
        self,
        statement: Executable | PreparedStatement,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        size: int = CHUNK_SIZE,
        stream: bool = True,
    ) -> Generator[list[Row]]:
        # Only worker threads read results that are too large for one list.
        yield self._fetch_all(statement, values)

    @override
    def begin_snapshot(self) -> None:
        if not self._connection.is_in_transaction():
            await_only(Connections.begin(self._connection))

    @override
    def _fetch_all(self, statement: Executable | PreparedStatement, values: Mapping[str, Any]) -> list[Row]:
        if not isinstance(statement, PreparedStatement):
            statement = self._prepared.prepare(statement)
        text = statement.text or ""
        return list(map(tuple, await_only(self._connection.fetch(text, *statement.arguments(values)))))
