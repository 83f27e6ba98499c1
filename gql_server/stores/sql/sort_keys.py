"""Sort keys in SQL: the ORDER BY expressions, and the conditions for rows after a key value.

A missing value comes last in both directions, a metric that is NaN just before that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, FromClause, and_, case, false, literal, or_, true
from typing_extensions import override

from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.text_validation import is_storable
from schema.ports.condition import parse_number

NAN: Final = "NaN"
_INT64: Final = 2**63

Joined: TypeAlias = tuple[FromClause, ColumnElement[bool]]
"""A table to join, and the condition of the join."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """An attribute; a row's key value is text, an integer, or None."""

    dialect: Dialect
    value: ColumnElement[Any]
    descending: bool = False
    joined: Joined | None = None

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return the columns that `key_value` takes the values of."""
        return (self.value,)

    def order_by(self) -> list[ColumnElement[Any]]:
        """Return the ORDER BY expressions."""
        return self.dialect.nulls_last(self._comparable(self.value), descending=self.descending)

    def key_value(self, values: Sequence[Any]) -> Any:
        """Return the key value of a row, from its values of `columns`."""
        return values[0]

    def is_key_value(self, value: Any) -> bool:
        """Return whether a row can have this key value of a client."""
        return can_have(self.value, value)

    def after(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that a row comes after a key value, by this key alone."""
        if value is None:
            return false()
        key, bound = self._comparable(self.value), self._comparable(literal(value, self.value.type))
        return or_(key < bound if self.descending else key > bound, self.value.is_(None))

    def equal(self, value: Any) -> ColumnElement[bool]:
        """Return the condition that a row has a key value."""
        if value is None:
            return self.value.is_(None)
        return self._comparable(self.value) == self._comparable(literal(value, self.value.type))

    def _comparable(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        return self.dialect.by_code_point(value) if _is_text(self.value) else value


@dataclass(frozen=True, slots=True)
class MetricSortKey(SortKey):
    """A metric's last value, null in SQL if it is NaN; a key value is a float, `NAN` or None."""

    @property
    @override
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        return (self.value, self._metric.c.is_nan)

    @override
    def order_by(self) -> list[ColumnElement[Any]]:
        rank = case((self._metric.c.is_nan == true(), 1), (self._metric.c.run_uuid.is_(None), 2), else_=0)
        return [rank, self.value.desc() if self.descending else self.value.asc()]

    @override
    def key_value(self, values: Sequence[Any]) -> Any:
        value, is_nan = values
        return NAN if is_nan else value

    @override
    def is_key_value(self, value: Any) -> bool:
        return value is None or value == NAN or (type(value) is float and math.isfinite(value))

    @override
    def after(self, value: Any) -> ColumnElement[bool]:
        return self._metric.c.run_uuid.is_(None) if value == NAN else SortKey.after(self, value)

    @override
    def equal(self, value: Any) -> ColumnElement[bool]:
        if value is None:
            return self._metric.c.run_uuid.is_(None)
        return self._metric.c.is_nan == true() if value == NAN else SortKey.equal(self, value)

    @property
    def _metric(self) -> FromClause:
        assert self.joined is not None  # noqa: S101 - `order` always joins the table of metrics.
        return self.joined[0]


@dataclass(frozen=True, slots=True)
class TextSortKey(SortKey):
    """The value of a param or a tag: numbers by their value, then other text.

    A key value is a float, text or None.
    """

    @override
    def order_by(self) -> list[ColumnElement[Any]]:
        # Equal numbers are equal even if their texts differ.
        text = case((self._number.is_(None), self._comparable(self.value)))
        return [
            *self.dialect.nulls_last(self._number, descending=self.descending),
            *self.dialect.nulls_last(text, descending=self.descending),
        ]

    @override
    def key_value(self, values: Sequence[Any]) -> Any:
        (text,) = values
        number = None if text is None else parse_number(text)
        return text if number is None else number

    @override
    def is_key_value(self, value: Any) -> bool:
        return (type(value) is float and math.isfinite(value)) or (
            not isinstance(value, float) and can_have(self.value, value)
        )

    @override
    def after(self, value: Any) -> ColumnElement[bool]:
        number = self._number
        if isinstance(value, float):
            return or_(number < value if self.descending else number > value, number.is_(None))
        return and_(number.is_(None), SortKey.after(self, value))

    @override
    def equal(self, value: Any) -> ColumnElement[bool]:
        return self._number == value if isinstance(value, float) else SortKey.equal(self, value)

    @property
    def _number(self) -> ColumnElement[Any]:
        return self.dialect.as_number(self.value)


def can_have(column: ColumnElement[Any], value: Any) -> bool:
    """Return whether a column of text or integers can have this value of a client."""
    if value is None:
        return True
    if _is_text(column):
        return isinstance(value, str) and is_storable(value)
    return type(value) is int and -_INT64 <= value < _INT64


def _is_text(column: ColumnElement[Any]) -> bool:
    return column.type.python_type is str
