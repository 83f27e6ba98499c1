"""What a search looks for, as conditions in SQL: MLflow's filter string, the view, and the workspace."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from mlflow.exceptions import MlflowException
from mlflow.store.tracking import sqlalchemy_store
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlparse.exceptions import SQLParseError

from gql_server.stores.errors import cleaned, code_of
from gql_server.stores.sql.conditions import experiment_condition, run_condition
from gql_server.stores.sql.dialect import among, storable
from gql_server.stores.sql.tables import EXPERIMENTS, RUNS
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.non_finite import clamped
from schema.ports.tracking import ExperimentScope, Search

Conditions = list[ColumnElement[bool]]

_INT32: Final = 2**31
_INT64: Final = 2**63
# MLflow's own reading of a filter; private, so a test compares what it finds with what MLflow finds.
_run_clauses: Final[Any] = sqlalchemy_store._get_sqlalchemy_filter_clauses  # noqa: SLF001
_experiment_clauses: Final[Any] = sqlalchemy_store._get_search_experiments_filter_clauses  # noqa: SLF001
_STAGES: Final = {
    LifecycleView.ACTIVE: ("active",),
    LifecycleView.DELETED: ("deleted",),
    LifecycleView.ALL: ("active", "deleted"),
}


def matching_runs(dialect: str, search: Search) -> Conditions:
    """Return the conditions of a run search, whichever experiments it goes over."""
    attributes, logged, datasets = clauses(
        search.filter,
        SearchUtils.parse_search_filter,
        lambda parsed: _run_clauses(parsed, Session(), dialect),
    )
    # MLflow joins these, and needs DISTINCT for the runs that a dataset was logged to twice.
    found = [RUNS.c.run_uuid.in_(select(rows.c.run_uuid)) for rows in logged]
    found += [RUNS.c.run_uuid.in_(select(rows.c.destination_id)) for rows in datasets]
    where = [] if search.where is None else [run_condition(dialect, search.where)]
    return [RUNS.c.lifecycle_stage.in_(_STAGES[search.view]), *attributes, *found, *where]


def matching_experiments(dialect: str, search: Search, workspace: str | None) -> Conditions:
    """Return the conditions of an experiment search."""
    attributes, tagged = clauses(
        search.filter,
        SearchExperimentsUtils.parse_search_filter,
        lambda parsed: _experiment_clauses(parsed, dialect),
    )
    found = [EXPERIMENTS.c.experiment_id.in_(select(rows.c.experiment_id)) for rows in tagged]
    where = [] if search.where is None else [experiment_condition(dialect, search.where)]
    stage = EXPERIMENTS.c.lifecycle_stage.in_(_STAGES[search.view])
    return [stage, *attributes, *found, *where, *_of_workspace(workspace)]


def in_scope(dialect: str, scope: ExperimentScope, workspace: str | None) -> Conditions:
    """Return the conditions that a run is of these experiments, or of any active one."""
    if scope is None:
        return [_of_experiments(EXPERIMENTS.c.lifecycle_stage == "active", *_of_workspace(workspace))]
    numbers = experiment_numbers(scope)
    if len(numbers) == 1:
        return [RUNS.c.experiment_id == numbers[0], *run_in_workspace(workspace)]
    return [among(dialect, RUNS.c.experiment_id, numbers), *run_in_workspace(workspace)]


def run_in_workspace(workspace: str | None) -> Conditions:
    """Return the conditions that a run is of the workspace; none where the store has no workspaces."""
    return [] if workspace is None else [_of_experiments(*_of_workspace(workspace))]


def experiment_in_workspace(workspace: str | None) -> Conditions:
    """Return the conditions that an experiment is of the workspace; none where there are none."""
    return _of_workspace(workspace)


def experiment_numbers(ids: Iterable[str | int]) -> list[int]:
    """Return the ids that an experiment can have, as the database has them."""
    return [number for number in map(int, ids) if -_INT32 <= number < _INT32]


def _of_workspace(workspace: str | None) -> Conditions:
    return [] if workspace is None else [EXPERIMENTS.c.workspace == workspace]


def _of_experiments(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return RUNS.c.experiment_id.in_(select(EXPERIMENTS.c.experiment_id).where(*conditions))


def clauses(
    filter_: str | None, parse: Callable[[str | None], Any], build: Callable[[Any], Any]
) -> Sequence[Any]:
    """Return the conditions that MLflow makes of a filter string; BadUserInput where it makes none."""
    if filter_ is not None and not storable(filter_):
        message = "filter has a character that a database cannot hold."
        raise BadUserInput(message)
    try:
        parsed = parse(filter_)
        for comparison in parsed:
            _make_number(comparison)
        clauses: Sequence[Any] = build(parsed)
    except MlflowException as error:
        raise BadUserInput(cleaned(error.message, code_of(error))) from error
    except (ValueError, SyntaxError, SQLParseError) as error:
        # MLflow lets them through from below, as for the list in: run_id IN (a)
        message = "filter is not one that MLflow can read."
        raise BadUserInput(message) from error
    return clauses


def _make_number(comparison: dict[str, Any]) -> None:
    """Make a number of what is compared with one: MLflow passes its text, which psycopg takes for text."""
    numeric = SearchUtils.NUMERIC_ATTRIBUTES | SearchExperimentsUtils.NUMERIC_ATTRIBUTES
    if comparison["type"] == "metric":
        comparison["value"] = clamped(float(comparison["value"]))
    elif comparison["type"] == "attribute" and comparison["key"] in numeric:
        comparison["value"] = _number(comparison["value"])


def _number(text: str) -> float:
    try:
        whole = int(text)
    except ValueError:
        return clamped(float(text))
    return whole if -_INT64 <= whole < _INT64 else float(whole)
