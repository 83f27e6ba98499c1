"""How one pass over the runs tells the runs of several scopes apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_

from gql_server.stores.sql.dialect import among, by_code_point, same_text
from gql_server.stores.sql.search_conditions import Conditions, experiment_numbers, run_in_workspace
from gql_server.stores.sql.tables import RUNS, TAGS
from schema.ports.condition import PARENT_TAG
from schema.ports.tracking import Children, Scope


@dataclass(frozen=True, slots=True)
class Partition:
    """The conditions of all scopes together, and what tells whose a run is.

    `apart` is what to group by, `labels` what to read for `scope`, which names the scope of what was read.
    """

    apart: Sequence[ColumnElement[Any]]
    labels: Sequence[ColumnElement[Any]]
    within: Conditions
    join: Callable[[Select[Any]], Select[Any]]
    scope: Callable[[Sequence[Any]], Scope]


def by_experiment(dialect: str, ids: Sequence[str], workspace: str | None) -> Partition:
    """Tell runs apart by their experiment."""
    experiment = RUNS.c.experiment_id
    return Partition(
        apart=[experiment],
        labels=[experiment],
        within=[among(dialect, experiment, experiment_numbers(ids)), *run_in_workspace(workspace)],
        join=lambda statement: statement,
        scope=lambda labels: (str(labels[0]),),
    )


def by_parent(dialect: str, scopes: Sequence[Children], workspace: str | None) -> Partition:
    """Tell runs apart by the run that they name as their parent, and their experiment."""
    parent, experiment = TAGS.alias(), RUNS.c.experiment_id
    named = and_(parent.c.run_uuid == RUNS.c.run_uuid, same_text(dialect, parent.c.key, PARENT_TAG))
    run_ids = list({scope.run_id for scope in scopes})
    numbers = experiment_numbers({scope.experiment_id for scope in scopes})
    return Partition(
        apart=[by_code_point(dialect, parent.c.value), experiment],
        labels=[parent.c.value, experiment],
        within=[
            among(dialect, parent.c.value, run_ids),
            among(dialect, experiment, numbers),
            *run_in_workspace(workspace),
        ],
        join=lambda statement: statement.join(parent, named),
        scope=lambda labels: Children(labels[0], str(labels[1])),
    )
