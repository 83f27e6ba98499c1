"""Comparisons of one value in SQL with the value of a predicate."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, false, func, or_, true

from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.text_validation import is_storable
from schema.ports.condition import Predicate
from schema.ports.non_finite import clamped

_OPERATORS: Final[dict[str, Callable[[Any, Any], ColumnElement[bool]]]] = {
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
    """A predicate on the value in rows of params, tags or metrics."""

    dialect: Dialect
    rows: FromClause
    predicate: Predicate

    @property
    def clause(self) -> ColumnElement[bool]:
        """Return the comparison as a condition that is never null."""
        columns, predicate = self.rows.c, self.predicate
        if predicate.by == "metric":
            return compare_metric(self.rows, predicate.operator, predicate.value)
        value = func.coalesce(columns.value, "", type_=columns.value.type)
        if predicate.operator in _ORDERED:
            number = self.dialect.as_number(value)
            return and_(number.is_not(None), compare_number(number, predicate.operator, predicate.value))
        return compare_text(self.dialect, value, predicate.operator, predicate.value)


def compare_metric(rows: FromClause, operator_name: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a metric with a number; NaN is unequal to each number, and nothing else."""
    matches = compare_number(rows.c.value, operator_name, clamped(float(value)))
    # The value of a row with the flag has no meaning.
    if operator_name == "ne":
        return or_(rows.c.is_nan == true(), matches)
    return and_(rows.c.is_nan == false(), matches)


def compare_number(column: ColumnElement[Any], operator_name: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a number with a number."""
    return _OPERATORS[operator_name](column, value)


def compare_text(
    dialect: Dialect, column: ColumnElement[Any], operator_name: str, value: Any
) -> ColumnElement[bool]:
    """Return a comparison of a text by code point; false for a text that a database cannot store."""
    if operator_name in {"like", "ilike"}:
        if not is_storable(value):
            return false()
        return dialect.like(column, value, ignore_case=operator_name == "ilike")
    matches = one_of_texts(dialect, column, [value] if operator_name in {"eq", "ne"} else value)
    return matches if operator_name in {"eq", "in"} else ~matches


def compare_id(column: ColumnElement[Any], operator_name: str, value: Any) -> ColumnElement[bool]:
    """Return a comparison of a numeric id with one text or several: the port has ids as text."""
    texts = [value] if operator_name in {"eq", "ne"} else value
    matches = column.in_([number for number in map(_id_number, texts) if number is not None])
    return matches if operator_name in {"eq", "in"} else ~matches


def one_of_texts(dialect: Dialect, column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column has exactly one of these texts, regardless of its collation."""
    return dialect.one_of_texts(column, list(dict.fromkeys(filter(is_storable, values))))


def _id_number(text: str) -> int | None:
    """Return the number whose decimal form is the text; None if the text is not a possible id."""
    try:
        number = int(text)
    except ValueError:
        return None
    return number if str(number) == text and -_INT32 <= number < _INT32 else None
