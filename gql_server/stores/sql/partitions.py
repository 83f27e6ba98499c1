"""The partition of runs by scope, for searches of many scopes in one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_

from gql_server.stores.sql.search_conditions import Conditions, experiment_numbers, run_in_workspace
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import RUNS, TAGS
from schema.ports.condition import PARENT_TAG
from schema.ports.tracking import Children, Scope


@dataclass(frozen=True, slots=True)
class Partition:
    """The conditions of all scopes together, and the columns that distinguish the scopes.

    `group_by` has the columns to group by and `labels` those to select; `scope` returns the scope that the
    values of `labels` belong to. `join` joins the tables that the columns need.
    """

    group_by: Sequence[ColumnElement[Any]]
    labels: Sequence[ColumnElement[Any]]
    conditions: Conditions
    join: Callable[[Select[Any]], Select[Any]]
    scope: Callable[[Sequence[Any]], Scope]


def by_experiment(session: Session, ids: Sequence[str]) -> Partition:
    """Return the partition of runs by experiment."""
    experiment = RUNS.c.experiment_id
    return Partition(
        group_by=[experiment],
        labels=[experiment],
        conditions=[session.dialect.one_of(experiment, experiment_numbers(ids)), *run_in_workspace(session)],
        join=lambda statement: statement,
        scope=lambda labels: (str(labels[0]),),
    )


def by_parent(session: Session, scopes: Sequence[Children]) -> Partition:
    """Return the partition of child runs by the run that they name as their parent, and by experiment."""
    dialect = session.dialect
    parent, experiment = TAGS.alias(), RUNS.c.experiment_id
    is_parent_tag = and_(parent.c.run_uuid == RUNS.c.run_uuid, dialect.same_text(parent.c.key, PARENT_TAG))
    run_ids = list({scope.run_id for scope in scopes})
    numbers = experiment_numbers({scope.experiment_id for scope in scopes})
    return Partition(
        group_by=[dialect.by_code_point(parent.c.value), experiment],
        labels=[parent.c.value, experiment],
        conditions=[
            dialect.one_of(parent.c.value, run_ids),
            dialect.one_of(experiment, numbers),
            *run_in_workspace(session),
        ],
        join=lambda statement: statement.join(parent, is_parent_tag),
        scope=lambda labels: Children(labels[0], str(labels[1])),
    )
