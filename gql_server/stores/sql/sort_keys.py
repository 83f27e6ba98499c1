"""The keys of an order as SQL: what to sort by, and what lies behind a value of one.

What has no value comes last in both directions, and a metric that is not a number just before that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, case, false, literal, or_, true

from gql_server.stores.sql.dialect import as_number, by_code_point, nulls_last, storable
from schema.ports.condition import parse_number

NAN: Final = "NaN"
_INT64: Final = 2**63

Joined = tuple[FromClause, ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class SortKey:
    """An attribute, a param or a tag. A row's value of it is a place: text, an integer, or None."""

    dialect: str
    value: ColumnElement[Any]
    descending: bool = False
    joined: Joined | None = None

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return what `place` needs of a row."""
        return (self.value,)

    def sorting(self) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        return nulls_last(self.dialect, self._comparable(self.value), descending=self.descending)

    def place(self, values: Sequence[Any]) -> Any:
        """Return the place of a row, of its values of `columns`."""
        return values[0]

    def is_place(self, place: Any) -> bool:
        """Say whether a row can have this place; it comes from a client."""
        if place is None:
            return True
        if self._is_text():
            return isinstance(place, str) and storable(place)
        return type(place) is int and -_INT64 <= place < _INT64

    def behind(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row comes behind a place, by this key alone."""
        if place is None:
            return false()
        value, bound = self._comparable(self.value), self._comparable(literal(place, self.value.type))
        return or_(value < bound if self.descending else value > bound, self.value.is_(None))

    def level(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row is at a place."""
        if place is None:
            return self.value.is_(None)
        return self._comparable(self.value) == self._comparable(literal(place, self.value.type))

    def _comparable(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        return by_code_point(self.dialect, value) if self._is_text() else value

    def _is_text(self) -> bool:
        return self.value.type.python_type is str


@dataclass(frozen=True, slots=True)
class MetricSortKey(SortKey):
    """A metric's last value, null in SQL where it is not a number. Its places are floats, `NAN` and None."""

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return the value, and whether it is not a number."""
        return (self.value, self._metric.c.is_nan)

    def sorting(self) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        rank = case((self._metric.c.is_nan == true(), 1), (self._metric.c.run_uuid.is_(None), 2), else_=0)
        return [rank, self.value.desc() if self.descending else self.value.asc()]

    def place(self, values: Sequence[Any]) -> Any:
        """Return the place of a row, of its values of `columns`."""
        value, is_nan = values
        return NAN if is_nan else value

    def is_place(self, place: Any) -> bool:
        """Say whether a row can have this place; it comes from a client."""
        return place is None or place == NAN or (type(place) is float and math.isfinite(place))

    def behind(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row comes behind a place, by this key alone."""
        return self._metric.c.run_uuid.is_(None) if place == NAN else SortKey.behind(self, place)

    def level(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row is at a place."""
        if place is None:
            return self._metric.c.run_uuid.is_(None)
        return self._metric.c.is_nan == true() if place == NAN else SortKey.level(self, place)

    @property
    def _metric(self) -> FromClause:
        assert self.joined is not None  # noqa: S101 - made with it, below
        return self.joined[0]


@dataclass(frozen=True, slots=True)
class TextSortKey(SortKey):
    """A param's or a tag's value: numbers by what they are, then text. Places are floats, text and None."""

    def sorting(self) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        # Numbers that are level are so whatever their text.
        text = case((self._number.is_(None), self._comparable(self.value)))
        return [
            *nulls_last(self.dialect, self._number, descending=self.descending),
            *nulls_last(self.dialect, text, descending=self.descending),
        ]

    def place(self, values: Sequence[Any]) -> Any:
        """Return the place of a row, of its values of `columns`."""
        (text,) = values
        number = None if text is None else parse_number(text)
        return text if number is None else number

    def is_place(self, place: Any) -> bool:
        """Say whether a row can have this place; it comes from a client."""
        return (type(place) is float and math.isfinite(place)) or (
            not isinstance(place, float) and SortKey.is_place(self, place)
        )

    def behind(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row comes behind a place, by this key alone."""
        number = self._number
        if isinstance(place, float):
            return or_(number < place if self.descending else number > place, number.is_(None))
        return and_(number.is_(None), SortKey.behind(self, place))

    def level(self, place: Any) -> ColumnElement[bool]:
        """Return the condition that a row is at a place."""
        return self._number == place if isinstance(place, float) else SortKey.level(self, place)

    @property
    def _number(self) -> ColumnElement[Any]:
        return as_number(self.dialect, self.value)
