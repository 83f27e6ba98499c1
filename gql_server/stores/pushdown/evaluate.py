"""Evaluation of conditions on the rows of a table, one column at a time."""

import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from schema.ports.condition import PARENT_TAG, AllOf, Condition, Not, Predicate, parse_number
from schema.ports.milliseconds import seconds_between
from schema.ports.non_finite import joined
from schema.ports.table import Many, Table

_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def matches(condition: Condition, rows: Table) -> Sequence[bool]:
    """Return for each row whether it matches the condition; `schema.ports.condition` defines the rules.

    The table must have the columns that `required_columns` returns.
    """
    if isinstance(condition, Predicate) and condition.by == "dataset":
        return _any_dataset_matches(condition, rows)
    if isinstance(condition, Predicate):
        return _evaluate(condition, _values(condition, rows))
    if isinstance(condition, Not):
        return [not matched for matched in matches(condition.part, rows)]
    parts = [matches(part, rows) for part in condition.parts]
    if not parts:
        return [isinstance(condition, AllOf)] * rows.size
    combine = all if isinstance(condition, AllOf) else any
    return [combine(matched) for matched in zip(*parts, strict=True)]


def required_columns(condition: Condition | None) -> set[str]:
    """Return the columns that a condition reads; params, tags and metrics are one column each."""
    if condition is None:
        return set()
    if isinstance(condition, Predicate):
        return set(_columns_of_predicate(condition))
    if isinstance(condition, Not):
        return required_columns(condition.part)
    return {name for part in condition.parts for name in required_columns(part)}


def _columns_of_predicate(predicate: Predicate) -> tuple[str, ...]:
    if predicate.by != "attribute":
        return (f"{predicate.by}s",)
    derived = {"parent_run_id": ("tags",), "duration_seconds": ("started_at", "ended_at")}
    return derived.get(predicate.key, (predicate.key,))


def logged_values(rows: Table, column: str, key: str) -> list[Any]:
    """Return each row's value under a key of its params, tags or metrics, or None.

    A metric that is not finite is a Python float (NaN or an infinity).
    """
    many = _many(rows, column)
    keys, values = many.rows["key"], many.rows["value"]
    non_finite = many.rows.columns.get("non_finite")
    indexes = [next((index for index in range(*span) if keys[index] == key), None) for span in many.spans]
    if non_finite is None:
        return [None if index is None else values[index] for index in indexes]
    return [None if index is None else joined(values[index], non_finite[index]) for index in indexes]  # type: ignore[index]


def _many(rows: Table, column: str) -> Many:
    many = rows[column]
    if not isinstance(many, Many):
        message = f"{column} must be a column of the rows"
        raise TypeError(message)
    return many


def _any_dataset_matches(predicate: Predicate, rows: Table) -> list[bool]:
    datasets = _many(rows, "datasets")
    matched = _evaluate(predicate, datasets.rows[predicate.key])
    return [any(matched[start:stop]) for start, stop in datasets.spans]


def _values(predicate: Predicate, rows: Table) -> Sequence[Any]:
    if predicate.by != "attribute":
        return logged_values(rows, f"{predicate.by}s", predicate.key)
    if predicate.key == "parent_run_id":
        return logged_values(rows, "tags", PARENT_TAG)
    if predicate.key == "duration_seconds":
        return durations(rows)
    column: Sequence[Any] = rows[predicate.key]
    return column


def durations(rows: Table) -> list[float | None]:
    """Return each run's duration in seconds; None for a run that has not ended."""
    return seconds_between(rows["started_at"], rows["ended_at"])


def _evaluate(predicate: Predicate, values: Sequence[Any]) -> list[bool]:
    if predicate.operator == "is_null":
        return [(value is None) is predicate.value for value in values]
    compare = _comparison(predicate)
    return [value is not None and compare(value) for value in values]


def _comparison(predicate: Predicate) -> Callable[[Any], bool]:
    expected: Any = predicate.value
    if predicate.operator == "eq":
        return lambda value: bool(value == expected)
    if predicate.operator == "ne":
        return lambda value: bool(value != expected)
    if predicate.operator in ("in", "not_in"):
        members, is_member = frozenset(expected), predicate.operator == "in"
        return lambda value: (value in members) is is_member
    if predicate.operator in ("like", "ilike"):
        return _like(expected, ignore_case=predicate.operator == "ilike")
    compare = _ORDERED[predicate.operator]
    if predicate.by in ("param", "tag"):
        return lambda value: (number := parse_number(value)) is not None and compare(number, expected)
    return lambda value: compare(value, expected)


def _like(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    regex = _like_regex(_lower(pattern) if ignore_case else pattern)
    if ignore_case:
        return lambda value: regex.fullmatch(_lower(value)) is not None
    return lambda value: regex.fullmatch(value) is not None


def _lower(text: str) -> str:
    # Only A to Z, as in SQLite: beyond that, the result in a database depends on its locale.
    return text.translate(_ASCII_LOWER)


@lru_cache(maxsize=256)
def _like_regex(pattern: str) -> re.Pattern[str]:
    first, *rest = (_segment(segment) for segment in re.split("%+", pattern))
    if not rest:
        return re.compile(first, re.DOTALL)
    # Each segment after a % is searched for once, from the left (an atomic group). With backtracking, a
    # pattern of many % would take exponential time to fail.
    middle = "".join(f"(?>.*?{segment})" for segment in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}", re.DOTALL)


def _segment(text: str) -> str:
    return "".join("." if character == "_" else re.escape(character) for character in text)
