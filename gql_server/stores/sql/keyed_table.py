"""Tables of params, tags and metrics: each row has an owner and a key."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from gql_server.stores.sql.search_conditions import (
    Conditions,
    experiment_in_workspace,
    experiment_numbers,
    run_in_workspace,
)
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import EXPERIMENT_TAGS, EXPERIMENTS, RUNS
from gql_server.stores.text_validation import is_storable


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table in which each row belongs to a run or to an experiment and has a key."""

    table: Table

    @property
    def owner(self) -> ColumnElement[Any]:
        """Return the column with the id of the run or experiment."""
        return self.table.c["experiment_id" if self.table is EXPERIMENT_TAGS else "run_uuid"]

    def conditions(
        self, session: Session, owners: Sequence[Any], keys: Collection[str] | None
    ) -> Iterator[Conditions]:
        """Yield the conditions of the statements that together read the owners' rows with these keys.

        There is one statement if the database takes all owners in one list.
        """
        dialect = session.dialect
        for batch, listed in self._batches(session, owners, keys):
            has_key = [] if listed is None else [dialect.one_of(self.table.c.key, listed)]
            yield [dialect.one_of(self.owner, batch), *has_key, *self.in_workspace(session)]

    def named_conditions(self, session: Session, *, has_keys: bool) -> Conditions:
        """Return the conditions of a prepared statement that reads the rows of `batches`."""
        dialect = session.dialect
        has_key = [dialect.one_of_named(self.table.c.key, "keys")] if has_keys else []
        return [dialect.one_of_named(self.owner, "owners"), *has_key, *self.in_workspace(session)]

    def batches(
        self, session: Session, owners: Sequence[Any], keys: Collection[str] | None
    ) -> Iterator[dict[str, Any]]:
        """Yield the named values of a prepared statement, for each time that it is executed.

        Together they read the owners' rows with these keys, and other keys too if there are no `keys` among
        the values: the database does not take all of them in one list.
        """
        dialect = session.dialect
        for batch, listed in self._batches(session, owners, keys):
            values = {} if listed is None else {"keys": dialect.list_value(listed)}
            yield {"owners": dialect.list_value(batch), **values}

    def in_workspace(self, session: Session) -> Conditions:
        """Return the conditions that a row is in the session's workspace; none without workspaces."""
        if session.workspace is None:
            return []
        if self.table is EXPERIMENT_TAGS:
            owners = select(EXPERIMENTS.c.experiment_id).where(*experiment_in_workspace(session))
        else:
            owners = select(RUNS.c.run_uuid).where(*run_in_workspace(session))
        return [self.owner.in_(owners)]

    def _batches(
        self, session: Session, owners: Sequence[Any], keys: Collection[str] | None
    ) -> Iterator[tuple[list[Any], list[str] | None]]:
        """Yield the owners that one statement reads, each time with the keys that fit in one list."""
        dialect = session.dialect
        storable_keys = None if keys is None else list(filter(is_storable, keys))
        if storable_keys == []:
            return
        listed = storable_keys if storable_keys and dialect.fits_in_one_list(storable_keys) else None
        possible = experiment_numbers(owners) if self.table is EXPERIMENT_TAGS else owners
        for batch in dialect.batches(dict.fromkeys(possible)):
            yield batch, listed
