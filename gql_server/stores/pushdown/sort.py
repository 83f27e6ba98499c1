"""Sort keys of rows; `schema.ports.tracking.Order` defines the rules."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gql_server.stores.pushdown.evaluate import durations, logged_values
from schema.ports.condition import parse_number
from schema.ports.errors import BadUserInput
from schema.ports.non_finite import clamped
from schema.ports.table import Table
from schema.ports.tracking import Order, Position

_NUMBER, _TEXT, _NAN, _MISSING = 0, 1, 2, 3
"""The ranks of values: lower ranks come first, in both directions."""

_MAX_DIGITS = 40
"""More digits than any id has: Python refuses to read thousands of them."""

SortValue: TypeAlias = tuple[int, Any]
"""The rank and value of a row under one key of an order."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """The order of the rows of a table; rows that are equal in all keys are ordered by `id_column`."""

    order: Sequence[Order]
    id_column: str

    @property
    def columns(self) -> set[str]:
        """Return the columns that the order reads."""
        return {self.id_column, *(column for entry in self.order for column in _columns(entry))}

    def sort_keys(self, rows: Table) -> list[Position]:
        """Return each row's sort key: JSON values, so that a cursor can contain it."""
        columns = [_sort_values(entry, rows) for entry in self.order]
        return [
            [*(list(value) for value in values), row_id]
            for *values, row_id in zip(*columns, rows[self.id_column], strict=True)
        ]

    def comparable(self, key: Position) -> tuple[Any, ...]:
        """Return a sort key in a form that Python compares in the directions of the order."""
        parts = [
            (rank, _Descending(value) if entry.descending and value is not None else value)
            for entry, (rank, value) in zip(self.order, key[:-1], strict=True)
        ]
        return (*parts, _comparable_id(key[-1]) if self.id_column == "experiment_id" else key[-1])

    def check_position(self, key: Position) -> Position:
        """Return a sort key from a client's cursor; raise `BadUserInput` if no row can have it."""
        *values, row_id = key or [None]
        if len(values) != len(self.order) or not isinstance(row_id, str) or not all(map(_is_valid, values)):
            message = "after is not a cursor of this connection."
            raise BadUserInput(message)
        return key


def _comparable_id(text: str) -> tuple[int, int, str]:
    """Return an id of an experiment in a form that sorts numbers by value, before any other text."""
    return (0, int(text), text) if text.isdecimal() and len(text) <= _MAX_DIGITS else (1, 0, text)


def run_sort_order(order: Sequence[Order]) -> SortOrder:
    """Return an order of runs; MLflow's default, latest start first, if none is given."""
    return SortOrder(order or (Order("attribute", "started_at", descending=True),), "run_id")


def experiment_sort_order(order: Sequence[Order]) -> SortOrder:
    """Return an order of experiments; MLflow's default, latest creation first, if none is given."""
    for entry in order:
        if entry.by != "attribute":
            message = f"Ordering by the {entry.by} {entry.key!r} is not supported."
            raise BadUserInput(message)
    return SortOrder(order or (Order("attribute", "created_at", descending=True),), "experiment_id")


_NUMBERS = {"started_at", "ended_at", "created_at", "updated_at"}
_TEXTS = {"run_id", "name", "status", "user_id"}


def _columns(entry: Order) -> tuple[str, ...]:
    if entry.by != "attribute":
        return (f"{entry.by}s",)
    if entry.key == "duration":
        return ("started_at", "ended_at")
    if entry.key not in _NUMBERS | _TEXTS | {"experiment_id"}:
        message = f"Ordering by the attribute {entry.key!r} is not supported."
        raise BadUserInput(message)
    return (entry.key,)


def _sort_values(entry: Order, rows: Table) -> list[SortValue]:
    sort_value = sort_value_function(entry.by, entry.key)
    if entry.by != "attribute":
        return list(map(sort_value, logged_values(rows, f"{entry.by}s", entry.key)))
    values = durations(rows) if entry.key == "duration" else rows[entry.key]
    return list(map(sort_value, values))


def sort_value_function(by: str, key: str) -> Callable[[Any], SortValue]:
    """Return the function that maps a value of a key to its sort value in ascending order."""
    return _SORT_VALUES.get(by) or _attribute_function(key)


def _attribute_function(key: str) -> Callable[[Any], SortValue]:
    # Ids of experiments are numbers in most stores.
    return _numeric_text if key == "experiment_id" else _text if key in _TEXTS else _number


def _text(value: str | None) -> SortValue:
    return (_MISSING, None) if value is None else (_TEXT, value)


def _number(value: float | None) -> SortValue:
    if value is None:
        return _MISSING, None
    if math.isnan(value):
        return _NAN, None
    # JSON has no infinity; the largest float replaces it, as in MLflow's tables.
    return _NUMBER, clamped(value)


def _numeric_text(value: str | None) -> SortValue:
    if value is None:
        return _MISSING, None
    number = parse_number(value)
    return (_TEXT, value) if number is None else (_NUMBER, number)


_SORT_VALUES: Mapping[str, Callable[[Any], SortValue]] = {
    "metric": _number,
    "param": _numeric_text,
    "tag": _numeric_text,
}


def _is_valid(value: Any) -> bool:
    match value:
        case [0, int() | float() as number]:
            return not isinstance(number, bool) and math.isfinite(number)
        case [1, str()] | [2 | 3, None]:
            return not isinstance(value[0], bool)
    return False


class _Descending:
    """A value that compares in reverse."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(other.value == self.value)

    def __hash__(self) -> int:
        return hash(self.value)
