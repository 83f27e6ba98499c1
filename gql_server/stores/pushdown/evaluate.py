"""Which rows of a table a condition holds for, a column at a time."""

import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from schema.engine.times import seconds_between
from schema.ports.condition import PARENT_TAG, AllOf, Condition, Not, Predicate, parse_number
from schema.ports.table import Many, Table

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def matches(condition: Condition, rows: Table) -> Sequence[bool]:
    """Say of each row whether the condition holds; `schema.ports.condition` has the rules.

    The table needs the columns that `needed` names.
    """
    if isinstance(condition, Predicate):
        return _test(condition, _values(condition, rows))
    if isinstance(condition, Not):
        return [not held for held in matches(condition.part, rows)]
    parts = [matches(part, rows) for part in condition.parts]
    if not parts:
        return [isinstance(condition, AllOf)] * rows.size
    combine = all if isinstance(condition, AllOf) else any
    return [combine(held) for held in zip(*parts, strict=True)]


def needed(condition: Condition | None) -> set[str]:
    """Return the columns that a condition looks at; params, tags and metrics are one column each."""
    if condition is None:
        return set()
    if isinstance(condition, Predicate):
        return set(_needs(condition))
    if isinstance(condition, Not):
        return needed(condition.part)
    return {name for part in condition.parts for name in needed(part)}


def _needs(test: Predicate) -> tuple[str, ...]:
    if test.by != "attribute":
        return (f"{test.by}s",)
    derived = {"parent_run_id": ("tags",), "duration_seconds": ("started_at", "ended_at")}
    return derived.get(test.key, (test.key,))


def logged(rows: Table, column: str, key: str) -> list[Any]:
    """Return what each row has under a key of its params, tags or metrics: the value, or None.

    A metric that is not finite is a Python float that is not.
    """
    many = rows[column]
    if not isinstance(many, Many):
        message = f"{column} must come along with the rows"
        raise TypeError(message)
    keys, values = many.rows["key"], many.rows["value"]
    strange = many.rows.columns.get("non_finite")
    places = [next((place for place in range(*span) if keys[place] == key), None) for span in many.spans]
    if strange is None:
        return [None if place is None else values[place] for place in places]
    return [None if place is None else _number(values[place], strange[place]) for place in places]  # type: ignore[index]


_NON_FINITE = {"NAN": float("nan"), "POSITIVE_INFINITY": float("inf"), "NEGATIVE_INFINITY": float("-inf")}


def _number(value: float | None, strange: str | None) -> float | None:
    return value if strange is None else _NON_FINITE[strange]


def _values(test: Predicate, rows: Table) -> Sequence[Any]:
    if test.by != "attribute":
        return logged(rows, f"{test.by}s", test.key)
    if test.key == "parent_run_id":
        return logged(rows, "tags", PARENT_TAG)
    if test.key == "duration_seconds":
        return durations(rows)
    column: Sequence[Any] = rows[test.key]
    return column


def durations(rows: Table) -> list[float | None]:
    """Return how long each run took in seconds; None for what has not ended."""
    return seconds_between(rows["started_at"], rows["ended_at"])


def _test(test: Predicate, values: Sequence[Any]) -> list[bool]:
    if test.operator == "is_null":
        return [(value is None) is test.value for value in values]
    holds = _comparison(test)
    return [value is not None and holds(value) for value in values]


def _comparison(test: Predicate) -> Callable[[Any], bool]:
    expected: Any = test.value
    if test.operator == "eq":
        return lambda value: bool(value == expected)
    if test.operator == "ne":
        return lambda value: bool(value != expected)
    if test.operator in ("in", "not_in"):
        members, wanted = frozenset(expected), test.operator == "in"
        return lambda value: (value in members) is wanted
    if test.operator in ("like", "ilike"):
        return _pattern(expected, folded=test.operator == "ilike")
    compare = _ORDERED[test.operator]
    if test.by in ("param", "tag"):
        return lambda value: (number := parse_number(value)) is not None and compare(number, expected)
    return lambda value: compare(value, expected)


def _pattern(pattern: str, *, folded: bool) -> Callable[[str], bool]:
    compiled = _regex(_fold(pattern) if folded else pattern)
    if folded:
        return lambda value: compiled.fullmatch(_fold(value)) is not None
    return lambda value: compiled.fullmatch(value) is not None


def _fold(text: str) -> str:
    # A to Z alone, as in SQLite: what a database folds beyond that depends on its locale.
    return text.translate(_ASCII_LOWER)


@lru_cache(maxsize=256)
def _regex(pattern: str) -> re.Pattern[str]:
    first, *rest = (_segment(segment) for segment in re.split("%+", pattern))
    if not rest:
        return re.compile(first, re.DOTALL)
    # What follows a % is looked for once, from the left, and never again (an atomic group): a pattern of many
    # % would otherwise take time beyond any power of its length to fail.
    middle = "".join(f"(?>.*?{segment})" for segment in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def _segment(text: str) -> str:
    return "".join("." if character == "_" else re.escape(character) for character in text)
