"""What was logged to runs or set on experiments: a table with an owner and a key in each row."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from gql_server.stores.sql.dialect import MOST_LISTED, among, batches, storable
from gql_server.stores.sql.search_conditions import (
    Conditions,
    experiment_in_workspace,
    experiment_numbers,
    run_in_workspace,
)
from gql_server.stores.sql.tables import EXPERIMENT_TAGS, EXPERIMENTS, RUNS


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table of logged things, seen from one workspace if the store has several."""

    table: Table
    workspace: str | None

    @property
    def owner(self) -> ColumnElement[Any]:
        """Return the column that names the run or the experiment."""
        return self.table.c["experiment_id" if self.table is EXPERIMENT_TAGS else "run_uuid"]

    def conditions(
        self, dialect: str, owners: Sequence[Any], keys: Collection[str] | None
    ) -> Iterator[Conditions]:
        """Give the conditions of the statements that together read what these owners have under the keys.

        There is one statement wherever the database takes all owners in one.
        """
        wanted = None if keys is None else list(filter(storable, keys))
        if wanted == []:
            return
        under = []
        if wanted and len(wanted) <= MOST_LISTED.get(dialect, len(wanted)):
            under = [among(dialect, self.table.c.key, wanted)]
        possible = experiment_numbers(owners) if self.table is EXPERIMENT_TAGS else owners
        for batch in batches(dialect, dict.fromkeys(possible)):
            yield [among(dialect, self.owner, batch), *under, *self.in_workspace()]

    def in_workspace(self) -> Conditions:
        """Return the conditions that a row is of the workspace; none where the store has no workspaces."""
        if self.workspace is None:
            return []
        if self.table is EXPERIMENT_TAGS:
            owners = select(EXPERIMENTS.c.experiment_id).where(*experiment_in_workspace(self.workspace))
        else:
            owners = select(RUNS.c.run_uuid).where(*run_in_workspace(self.workspace))
        return [self.owner.in_(owners)]
