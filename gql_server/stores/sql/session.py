"""What reading functions use: statements on one connection, and what is known of its database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Hashable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy.sql import Executable

from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.prepared_statement import PreparedStatement, PreparedStatements
from schema.ports.store_info import StoreFeature

_T = TypeVar("_T")
NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})

Row: TypeAlias = tuple[Any, ...]

CHUNK_SIZE: Final = 1000
"""Rows fetched in one call: few enough that a call blocks other threads for a millisecond or two."""


class SessionCancelled(Exception):
    """The caller has left; what the session read is discarded."""


class Session(ABC):
    """Statements on one connection.

    `workspace` is the workspace that the caller reads, None in a store without workspaces.
    """

    dialect: Dialect
    """The dialect of the database; set before a reading function is called."""
    schema: DatabaseSchema
    """The schema of the database; set before a reading function is called."""

    on_event_loop: bool = False
    """Whether a reading function must end soon, or raise `LongResult`."""

    def __init__(self, workspace: str | None = None) -> None:
        self.workspace = workspace

    def rows(
        self,
        statement: Executable | PreparedStatement,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        of: StoreFeature | None = None,
    ) -> list[Row]:
        """Return all rows of a statement; none if the database lacks the feature that it reads.

        `values` are those of a prepared statement.
        """
        if of is not None and not self.schema.has(of):
            return []
        return self._fetch_all(statement, values)

    def keep(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what `make` returned for this key at first, such as a prepared statement.

        Everything that the result depends on is a part of the key.
        """
        return self._statements().keep(key, make)

    def prepare(self, statement: Executable) -> PreparedStatement:
        """Compile a statement whose named values are given when it is executed."""
        return self._statements().prepare(statement)

    @abstractmethod
    def _statements(self) -> PreparedStatements:
        """Return what was prepared for this database and driver."""

    @abstractmethod
    def chunks(
        self,
        statement: Executable | PreparedStatement,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        size: int = CHUNK_SIZE,
        stream: bool = True,
    ) -> Generator[list[Row]]:
        """Yield the rows of a statement in lists of at most `size`.

        Streamed rows are in the database until they are fetched, if the driver supports this; those of a
        prepared statement are not streamed.
        """

    def count_points(self, _points: int) -> None:  # noqa: B027 - what is read on the event loop is short
        """Count points that the operation will have in memory; raise `LimitExceeded` for too many.

        `rows` counts its rows.
        """

    @abstractmethod
    def begin_snapshot(self) -> None:
        """Make all further statements see one state of the database.

        Otherwise a statement may see what was committed after the statement before it.
        """

    @abstractmethod
    def _fetch_all(self, statement: Executable | PreparedStatement, values: Mapping[str, Any]) -> list[Row]:
        """Return all rows of a statement."""
