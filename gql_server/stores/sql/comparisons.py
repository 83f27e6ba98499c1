"""Comparisons of one value in SQL with what a test names."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, false, func, or_, true

from gql_server.stores.sql.dialect import among, as_number, like, same_text, storable
from schema.ports.condition import Predicate
from schema.ports.non_finite import clamped

_COMPARE: Final[dict[str, Callable[[Any, Any], ColumnElement[bool]]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_ORDERED: Final = {"gt", "gte", "lt", "lte"}
_INT32: Final = 2**31


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test of the value in a row of params, tags or metrics."""

    dialect: str
    rows: FromClause
    test: Predicate

    @property
    def clause(self) -> ColumnElement[bool]:
        """Return it as a condition that is never null."""
        columns, test = self.rows.c, self.test
        if test.by == "metric":
            return self._metric(columns.value, columns.is_nan, clamped(float(test.value)))  # type: ignore[arg-type]
        value = func.coalesce(columns.value, "", type_=columns.value.type)
        if test.operator in _ORDERED:
            number = as_number(self.dialect, value)
            return and_(number.is_not(None), compare_value(number, test.operator, test.value))
        return compare_text(self.dialect, value, test.operator, test.value)

    def _metric(
        self, value: ColumnElement[Any], is_nan: ColumnElement[bool], bound: float
    ) -> ColumnElement[bool]:
        holds = compare_value(value, self.test.operator, bound)
        # The value beside the flag says nothing.
        return or_(is_nan == true(), holds) if self.test.operator == "ne" else and_(is_nan == false(), holds)


def compare_value(column: ColumnElement[Any], by: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a number with a number."""
    return _COMPARE[by](column, value)


def compare_text(dialect: str, column: ColumnElement[Any], by: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a text, by code point, with one or several; no text is one that none can be."""
    if by in {"like", "ilike"}:
        return like(dialect, column, value, folded=by == "ilike") if storable(value) else false()
    wanted = [value] if by in {"eq", "ne"} else value
    found = one_of_texts(dialect, column, wanted)
    return found if by in {"eq", "in"} else ~found


def compare_number(column: ColumnElement[Any], by: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a number that the port shows as text, with one text or several."""
    wanted = [value] if by in {"eq", "ne"} else value
    found = column.in_([number for number in map(_as_written, wanted) if number is not None])
    return found if by in {"eq", "in"} else ~found


def one_of_texts(dialect: str, column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column holds exactly one of these texts, whatever its collation."""
    distinct = list(dict.fromkeys(filter(storable, values)))
    if len(distinct) == 1:
        return same_text(dialect, column, distinct[0])
    if dialect in {"mysql", "mssql"}:
        return or_(false(), *(same_text(dialect, column, value) for value in distinct))
    return among(dialect, column, distinct)


def _as_written(text: str) -> int | None:
    """Return the number that is written so; None where none is, or none that an id can be."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and -_INT32 <= number < _INT32 else None
