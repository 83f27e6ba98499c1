"""Conditions of the port in SQL. None of them is ever null: a test of a missing value is false.

`schema.ports.condition` has the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Double, Table, and_, cast, exists, false, not_, or_, true

from gql_server.stores.sql.comparisons import Comparison, compare_id, compare_number, compare_text
from gql_server.stores.sql.models.dataset_filter import runs_with_dataset
from gql_server.stores.sql.session import Session
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
from gql_server.stores.text_validation import is_storable
from schema.ports.condition import PARENT_TAG, AllOf, Condition, Not, Predicate
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import clamped

_TEXTS: Final = {"run_id", "name", "user_id", "status", "artifact_uri"}
_RUN_ATTRIBUTES: Final[Mapping[str, ColumnElement[Any]]] = {
    **RUN_COLUMNS,
    # Through floats, because the port compares seconds as floats.
    "duration_seconds": (cast(RUN_COLUMNS["ended_at"], Double) - cast(RUN_COLUMNS["started_at"], Double))
    / 1000.0,
}


@dataclass(frozen=True, slots=True)
class _Entity:
    """Runs or experiments: the columns that predicates may name, and the tables of keys and values."""

    attributes: Mapping[str, ColumnElement[Any]]
    keyed_tables: Mapping[str, Table]
    id: ColumnElement[Any]
    owner: str


_RUN: Final = _Entity(
    _RUN_ATTRIBUTES, {"param": PARAMS, "tag": TAGS, "metric": LATEST_METRICS}, RUNS.c.run_uuid, "run_uuid"
)
_EXPERIMENT: Final = _Entity(
    EXPERIMENT_COLUMNS, {"tag": EXPERIMENT_TAGS}, EXPERIMENTS.c.experiment_id, "experiment_id"
)


def run_condition(session: Session, condition: Condition) -> ColumnElement[bool]:
    """Return a condition on runs."""
    return _ConditionBuilder(session, _RUN).build(condition)


def experiment_condition(session: Session, condition: Condition) -> ColumnElement[bool]:
    """Return a condition on experiments."""
    return _ConditionBuilder(session, _EXPERIMENT).build(condition)


@dataclass(frozen=True, slots=True)
class _ConditionBuilder:
    session: Session
    entity: _Entity

    def build(self, condition: Condition) -> ColumnElement[bool]:
        """Return a condition in SQL."""
        if isinstance(condition, Predicate):
            return self._predicate(condition)
        if isinstance(condition, Not):
            return not_(self.build(condition.part))
        parts = [self.build(part) for part in condition.parts]
        return and_(true(), *parts) if isinstance(condition, AllOf) else or_(false(), *parts)

    def _predicate(self, predicate: Predicate) -> ColumnElement[bool]:
        if predicate.by == "attribute" and predicate.key == "parent_run_id":
            predicate = Predicate("tag", PARENT_TAG, predicate.operator, predicate.value)
        if predicate.by == "dataset" and self.entity is _RUN:
            return runs_with_dataset(self.session, predicate)
        return self._attribute(predicate) if predicate.by == "attribute" else self._keyed(predicate)

    def _attribute(self, predicate: Predicate) -> ColumnElement[bool]:
        column = self.entity.attributes.get(predicate.key)
        if column is None:
            message = f"Filtering by the attribute {predicate.key!r} is not supported."
            raise BadUserInput(message)
        if predicate.operator == "is_null":
            return column.is_(None) if predicate.value else column.is_not(None)
        return and_(column.is_not(None), self._compare_attribute(column, predicate))

    def _compare_attribute(self, column: ColumnElement[Any], predicate: Predicate) -> ColumnElement[bool]:
        if predicate.key == "experiment_id":
            return compare_id(column, predicate.operator, predicate.value)
        if predicate.key in _TEXTS:
            return compare_text(self.session.dialect, column, predicate.operator, predicate.value)
        # A filter string may compare a time with an infinity.
        return compare_number(column, predicate.operator, _stored_number(predicate.value))

    def _keyed(self, predicate: Predicate) -> ColumnElement[bool]:
        table = self.entity.keyed_tables.get(predicate.by)
        if table is None:
            message = f"Filtering by the {predicate.by} {predicate.key!r} is not supported."
            raise BadUserInput(message)
        is_null = predicate.operator == "is_null"
        if not is_storable(predicate.key):
            return true() if is_null and predicate.value else false()
        rows = table.alias()
        has_key = [
            rows.c[self.entity.owner] == self.entity.id,
            self.session.dialect.same_text(rows.c.key, predicate.key),
        ]
        if is_null:
            has_row = exists().where(*has_key)
            return not_(has_row) if predicate.value else has_row
        return exists().where(*has_key, Comparison(self.session.dialect, rows, predicate).clause)


def _stored_number(value: Any) -> Any:
    return clamped(value) if isinstance(value, float) else value
