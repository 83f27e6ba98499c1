"""The sort key of each row; `schema.ports.tracking.Order` defines the rules."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gql_server.stores.pushdown.evaluate import durations, logged
from schema.ports.condition import parse_number
from schema.ports.errors import BadUserInput
from schema.ports.table import Table
from schema.ports.tracking import Order, Position

_NUMBER, _TEXT, _NAN, _MISSING = 0, 1, 2, 3
"""The classes that values fall into, in this order in both directions."""
_LARGEST = 1.7976931348623157e308

Place: TypeAlias = tuple[int, Any]
"""A row's class and value by one key of an order."""


@dataclass(frozen=True, slots=True)
class SortOrder:
    """An order of the rows of a noun: what decides, and the column that decides between those level in it."""

    order: Sequence[Order]
    id: str

    @property
    def columns(self) -> set[str]:
        """Return the columns of the rows that the order looks at."""
        return {self.id, *(column for entry in self.order for column in _columns(entry))}

    def keys(self, rows: Table) -> list[Position]:
        """Return each row's place in the order: JSON values, which a cursor can carry."""
        columns = [_places(entry, rows) for entry in self.order]
        return [
            [*(list(place) for place in places), own]
            for *places, own in zip(*columns, rows[self.id], strict=True)
        ]

    def sortable(self, key: Position) -> tuple[Any, ...]:
        """Return a form of a place that Python sorts in the order's directions."""
        parts = [
            (kind, _Descending(value) if entry.descending and value is not None else value)
            for entry, (kind, value) in zip(self.order, key[:-1], strict=True)
        ]
        return (*parts, key[-1])

    def check(self, key: Position) -> Position:
        """Return a place that came from a client; raise BadUserInput where no row can have it."""
        *places, own = key or [None]
        if len(places) != len(self.order) or not isinstance(own, str) or not all(map(_is_place, places)):
            message = "after is not a cursor of this connection."
            raise BadUserInput(message)
        return key


def run_ordering(order: Sequence[Order]) -> SortOrder:
    """Return an order of runs; MLflow's own, the latest start first, where none is given."""
    return SortOrder(order or (Order("attribute", "started_at", descending=True),), "run_id")


def experiment_ordering(order: Sequence[Order]) -> SortOrder:
    """Return an order of experiments; MLflow's own, the latest creation first, where none is given."""
    for entry in order:
        if entry.by != "attribute":
            message = f"There is no ordering by the {entry.by} {entry.key!r} here."
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
        message = f"There is no ordering by the attribute {entry.key!r} here."
        raise BadUserInput(message)
    return (entry.key,)


def _places(entry: Order, rows: Table) -> list[Place]:
    place = placing(entry.by, entry.key)
    if entry.by != "attribute":
        return list(map(place, logged(rows, f"{entry.by}s", entry.key)))
    values = durations(rows) if entry.key == "duration" else rows[entry.key]
    return list(map(place, values))


def placing(by: str, key: str) -> Callable[[Any], Place]:
    """Return what places a value of a key in an ascending order."""
    return _PLACES.get(by) or _attribute(key)


def _attribute(key: str) -> Callable[[Any], Place]:
    # Ids of experiments are numbers in most stores.
    return _logged_text if key == "experiment_id" else _text if key in _TEXTS else _metric


def _text(value: str | None) -> Place:
    return (_MISSING, None) if value is None else (_TEXT, value)


def _metric(value: float | None) -> Place:
    if value is None:
        return _MISSING, None
    if math.isnan(value):
        return _NAN, None
    # JSON has no infinity; the largest number stands for it, as in MLflow's tables.
    return _NUMBER, max(min(value, _LARGEST), -_LARGEST)


def _logged_text(value: str | None) -> Place:
    if value is None:
        return _MISSING, None
    number = parse_number(value)
    return (_TEXT, value) if number is None else (_NUMBER, number)


_PLACES: Mapping[str, Callable[[Any], Place]] = {
    "metric": _metric,
    "param": _logged_text,
    "tag": _logged_text,
}


def _is_place(place: Any) -> bool:
    match place:
        case [0, int() | float() as value]:
            return not isinstance(value, bool) and math.isfinite(value)
        case [1, str()] | [2 | 3, None]:
            return not isinstance(place[0], bool)
    return False


class _Descending:
    """A value that sorts before what is less than it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(other.value == self.value)

    def __hash__(self) -> int:
        return hash(self.value)
