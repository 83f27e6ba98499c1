"""The conditions of a search in SQL: MLflow's filter string, the view, the scope and the workspace."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from mlflow.exceptions import MlflowException
from mlflow.store.tracking import sqlalchemy_store
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils
from sqlalchemy import Column, ColumnElement, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.sql.visitors import replacement_traverse
from sqlparse.exceptions import SQLParseError

from gql_server.stores.errors import code_of, sanitized
from gql_server.stores.sql.conditions import experiment_condition, run_condition
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import EXPERIMENTS, METADATA, RUNS
from gql_server.stores.text_validation import is_storable
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.non_finite import clamped
from schema.ports.tracking import ExperimentScope, Search

Conditions = list[ColumnElement[bool]]

_INT32: Final = 2**31
_INT64: Final = 2**63
# MLflow's own parser of filters is private, so a test compares the results with those of MLflow.
_run_clauses: Final[Any] = sqlalchemy_store._get_sqlalchemy_filter_clauses  # noqa: SLF001
_experiment_clauses: Final[Any] = sqlalchemy_store._get_search_experiments_filter_clauses  # noqa: SLF001
_STAGES: Final = {
    LifecycleView.ACTIVE: ("active",),
    LifecycleView.DELETED: ("deleted",),
    LifecycleView.ALL: ("active", "deleted"),
}


def matching_runs(session: Session, search: Search) -> Conditions:
    """Return the conditions of a run search, without those of its scope."""
    attributes, logged, datasets = filter_clauses(
        search.filter,
        SearchUtils.parse_search_filter,
        lambda parsed: _run_clauses(parsed, OrmSession(), session.dialect.name),
    )
    filters = list(map(_with_server_columns, attributes))
    # MLflow joins these, and needs DISTINCT for runs to which a dataset was logged twice.
    filters += [RUNS.c.run_uuid.in_(select(rows.c.run_uuid)) for rows in logged]
    filters += [RUNS.c.run_uuid.in_(select(rows.c.destination_id)) for rows in datasets]
    where = [] if search.where is None else [run_condition(session.dialect, search.where)]
    return [RUNS.c.lifecycle_stage.in_(_STAGES[search.view]), *filters, *where]


def matching_experiments(session: Session, search: Search) -> Conditions:
    """Return the conditions of an experiment search, the workspace included."""
    attributes, tagged = filter_clauses(
        search.filter,
        SearchExperimentsUtils.parse_search_filter,
        lambda parsed: _experiment_clauses(parsed, session.dialect.name),
    )
    filters = list(map(_with_server_columns, attributes))
    filters += [EXPERIMENTS.c.experiment_id.in_(select(rows.c.experiment_id)) for rows in tagged]
    where = [] if search.where is None else [experiment_condition(session.dialect, search.where)]
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


def filter_clauses(
    filter_: str | None, parse: Callable[[str | None], Any], build: Callable[[Any], Any]
) -> Sequence[Any]:
    """Return the clauses that MLflow builds of a filter string; raise `BadUserInput` if it cannot."""
    if filter_ is not None and not is_storable(filter_):
        message = "filter contains a character that a database cannot store."
        raise BadUserInput(message)
    try:
        parsed = parse(filter_)
        for comparison in parsed:
            _make_number(comparison)
        built: Sequence[Any] = build(parsed)
    except MlflowException as error:
        raise BadUserInput(sanitized(error.message, code_of(error))) from error
    except (ValueError, SyntaxError, SQLParseError) as error:
        # MLflow does not convert them, as for the list in: run_id IN (a)
        message = "MLflow cannot parse this filter."
        raise BadUserInput(message) from error
    return built


def _with_server_columns(clause: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a clause with the columns of MLflow's models replaced by those of this server's tables.

    Otherwise the statement would select from two tables with one name.
    """
    replaced: ColumnElement[bool] = replacement_traverse(clause, {}, _server_column)
    return replaced


def _server_column(element: Any, **_options: Any) -> ColumnElement[Any] | None:
    return METADATA.tables[element.table.name].c[element.name] if isinstance(element, Column) else None


def _make_number(comparison: dict[str, Any]) -> None:
    """Convert the value of a numeric comparison to a number that a database can store.

    MLflow's parser returns text for an attribute before MLflow 3.17, and psycopg would pass it as text.
    """
    numeric = SearchUtils.NUMERIC_ATTRIBUTES | SearchExperimentsUtils.NUMERIC_ATTRIBUTES
    if comparison["type"] == "metric":
        comparison["value"] = clamped(float(comparison["value"]))
    elif comparison["type"] == "attribute" and comparison["key"] in numeric:
        comparison["value"] = _number(comparison["value"])


def _number(value: str | float) -> float:
    if isinstance(value, float):
        return clamped(value)
    try:
        whole = int(value)
    except ValueError:
        return clamped(float(value))
    return whole if -_INT64 <= whole < _INT64 else float(clamped(whole))
