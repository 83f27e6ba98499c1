"""The conditions of a search in SQL: MLflow's filter string, the view, the scope and the workspace."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, select

from gql_server.stores.sql.conditions import experiment_condition, run_condition
from gql_server.stores.sql.filter_conditions import experiment_filter, run_filter
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import EXPERIMENTS, RUNS
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import ExperimentScope, Search

Conditions = list[ColumnElement[bool]]

_INT32: Final = 2**31
_STAGES: Final = {
    LifecycleView.ACTIVE: ("active",),
    LifecycleView.DELETED: ("deleted",),
    LifecycleView.ALL: ("active", "deleted"),
}


def matching_runs(session: Session, search: Search) -> Conditions:
    """Return the conditions of a run search, without those of its scope."""
    filters = run_filter(session, search.filter)
    where = [] if search.where is None else [run_condition(session, search.where)]
    return [RUNS.c.lifecycle_stage.in_(_STAGES[search.view]), *filters, *where]


def matching_experiments(session: Session, search: Search) -> Conditions:
    """Return the conditions of an experiment search, the workspace included."""
    filters = experiment_filter(session, search.filter)
    where = [] if search.where is None else [experiment_condition(session, search.where)]
    stage = EXPERIMENTS.c.lifecycle_stage.in_(_STAGES[search.view])
    return [stage, *filters, *where, *experiment_in_workspace(session)]


def in_scope(session: Session, scope: ExperimentScope) -> Conditions:
    """Return the conditions that a run is in these experiments; None is all active ones."""
    if scope is None:
        active = EXPERIMENTS.c.lifecycle_stage == "active"
        return [_in_experiments(active, *experiment_in_workspace(session))]
    numbers = experiment_numbers(scope)
    if len(numbers) == 1:
        return [RUNS.c.experiment_id == numbers[0], *run_in_workspace(session)]
    return [session.dialect.one_of(RUNS.c.experiment_id, numbers), *run_in_workspace(session)]


def run_in_workspace(session: Session) -> Conditions:
    """Return the conditions that a run is in the session's workspace; none in a store without workspaces."""
    return [] if session.workspace is None else [_in_experiments(*experiment_in_workspace(session))]


def experiment_in_workspace(session: Session) -> Conditions:
    """Return the conditions that an experiment is in the session's workspace, as for runs."""
    return [] if session.workspace is None else [EXPERIMENTS.c.workspace == session.workspace]


def experiment_numbers(ids: Iterable[str | int]) -> list[int]:
    """Return the ids that an experiment can have, as numbers."""
    return [number for number in map(int, ids) if -_INT32 <= number < _INT32]


def _in_experiments(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return RUNS.c.experiment_id.in_(select(EXPERIMENTS.c.experiment_id).where(*conditions))
