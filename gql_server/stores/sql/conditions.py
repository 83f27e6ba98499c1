"""Conditions of the port as SQL, none of which is ever null: a test of what is not there is false.

`schema.ports.condition` has the rules.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Table, and_, cast, exists, false, not_, or_, true

from gql_server.stores.sql.comparisons import Comparison, compare_number, compare_text, compare_value
from gql_server.stores.sql.dialect import same_text, storable
from gql_server.stores.sql.tables import (
    EXPERIMENT_COLUMNS,
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    LATEST_METRICS,
    PARAMS,
    RUN_COLUMNS,
    RUNS,
    TAGS,
)
from schema.ports.condition import PARENT_TAG, AllOf, Condition, Not, Predicate
from schema.ports.errors import BadUserInput

_TEXT: Final = {"run_id", "name", "user_id", "status"}
_ON_RUNS: Final[Mapping[str, ColumnElement[Any]]] = {
    **RUN_COLUMNS,
    # By way of floats, which the seconds are compared as.
    "duration_seconds": (cast(RUN_COLUMNS["ended_at"], Double) - cast(RUN_COLUMNS["started_at"], Double))
    / 1000.0,
}


@dataclass(frozen=True, slots=True)
class _Noun:
    """Runs or experiments: the columns that tests may name, and the tables of what was logged."""

    columns: Mapping[str, ColumnElement[Any]]
    logged: Mapping[str, Table]
    id: ColumnElement[Any]
    owner: str


_RUN: Final = _Noun(
    _ON_RUNS, {"param": PARAMS, "tag": TAGS, "metric": LATEST_METRICS}, RUNS.c.run_uuid, "run_uuid"
)
_EXPERIMENT: Final = _Noun(
    EXPERIMENT_COLUMNS, {"tag": EXPERIMENT_TAGS}, EXPERIMENTS.c.experiment_id, "experiment_id"
)


def run_condition(dialect: str, condition: Condition) -> ColumnElement[bool]:
    """Return a condition on runs."""
    return _clause(partial(_test, dialect, _RUN), condition)


def experiment_condition(dialect: str, condition: Condition) -> ColumnElement[bool]:
    """Return a condition on experiments."""
    return _clause(partial(_test, dialect, _EXPERIMENT), condition)


def _clause(test: Callable[[Predicate], ColumnElement[bool]], condition: Condition) -> ColumnElement[bool]:
    if isinstance(condition, Predicate):
        return test(condition)
    if isinstance(condition, Not):
        return not_(_clause(test, condition.part))
    parts = [_clause(test, part) for part in condition.parts]
    return and_(true(), *parts) if isinstance(condition, AllOf) else or_(false(), *parts)


def _test(dialect: str, noun: _Noun, test: Predicate) -> ColumnElement[bool]:
    if test.by == "attribute" and test.key == "parent_run_id":
        test = Predicate("tag", PARENT_TAG, test.operator, test.value)
    return _attribute(dialect, noun, test) if test.by == "attribute" else _logged(dialect, noun, test)


def _attribute(dialect: str, noun: _Noun, test: Predicate) -> ColumnElement[bool]:
    column = noun.columns.get(test.key)
    if column is None:
        message = f"There is no testing the attribute {test.key!r} here."
        raise BadUserInput(message)
    if test.operator == "is_null":
        return column.is_(None) if test.value else column.is_not(None)
    return and_(column.is_not(None), _compare_attribute(dialect, column, test))


def _compare_attribute(dialect: str, column: ColumnElement[Any], test: Predicate) -> ColumnElement[bool]:
    if test.key == "experiment_id":
        return compare_number(column, test.operator, test.value)
    if test.key in _TEXT:
        return compare_text(dialect, column, test.operator, test.value)
    return compare_value(column, test.operator, test.value)


def _logged(dialect: str, noun: _Noun, test: Predicate) -> ColumnElement[bool]:
    table = noun.logged.get(test.by)
    if table is None:
        message = f"There is no testing a {test.by} here."
        raise BadUserInput(message)
    if not storable(test.key):
        return true() if test.operator == "is_null" and test.value else false()
    rows = table.alias()
    named = [rows.c[noun.owner] == noun.id, same_text(dialect, rows.c.key, test.key)]
    if test.operator == "is_null":
        there = exists().where(*named)
        return not_(there) if test.value else there
    return exists().where(*named, Comparison(dialect, rows, test).clause)
