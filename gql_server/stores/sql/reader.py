"""How the ports read from a database."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from gql_server.stores.sql.database.database_schema import DatabaseSchema
from gql_server.stores.sql.session import Session

_T = TypeVar("_T")


class Reader(Protocol):
    """Calls reading functions, each with a session on one connection."""

    async def read(self, work: Callable[[Session], _T], *, short: bool = False, predicates: int = 0) -> _T:
        """Return the result of a reading function; a cancelled caller cancels the statement.

        `short` states that the result has some hundred rows at most, so that it may be converted on the event
        loop. `predicates` are tested for each run; with many runs, the call counts as several connections
        among those of its client. Raise `StoreTimeout` after the timeout and `StoreUnavailable` if the
        database cannot be used.
        """
        ...

    async def schema(self) -> DatabaseSchema:
        """Return the schema of the database; raise `StoreTimeout` or `StoreUnavailable`."""
        ...
