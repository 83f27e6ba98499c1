"""Conditions on runs and experiments: what `where` asks, as plain records with one meaning on every store.

A condition holds for a record or it does not; there is no third value. A test of a thing that the record
does not have fails, `ne` and `not_in` included, as in MLflow; only `is_null` is about what is missing. So
`Not(test)` also matches the records that lack what the test looks at. `AllOf(())` always holds, `AnyOf(())`
never.

- `like` and `ilike` take SQL's patterns: `%` for any text, `_` for any one character, nothing escapes them,
  as in MLflow. `like` tells case, `ilike` does not.
- `gt`, `gte`, `lt`, `lte` of a param or a tag compare its text as a number (`parse_number`); text that is no
  number never matches.
- A metric that is NaN matches `ne` and `is_null: false` alone, as in MLflow. Infinities compare as such.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

By: TypeAlias = Literal["attribute", "metric", "param", "tag"]
Operator: TypeAlias = Literal[
    "eq", "ne", "in", "not_in", "like", "ilike", "gt", "gte", "lt", "lte", "is_null"
]
Value: TypeAlias = str | int | float | bool | tuple[str, ...]

NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
"""What counts as a number in a param or a tag: a decimal literal, in a form that every database can test."""

PARENT_TAG = "mlflow.parentRunId"
"""The tag in which MLflow keeps which run a run is a child of."""

_NUMBER = re.compile(NUMBER)


@dataclass(frozen=True, slots=True)
class Predicate:
    """One comparison: `key` is a column's name where `by` is attribute, else what was logged.

    The attribute `parent_run_id` is the tag `mlflow.parentRunId`; `duration_seconds` is the time between
    `started_at` and `ended_at`. `value` is a bool for is_null, a tuple for in and not_in, milliseconds for
    times.
    """

    by: By
    key: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition: TypeAlias = Predicate | AllOf | AnyOf | Not


def parse_number(text: str) -> float | None:
    """Return the number that a param's or tag's text is; None where it is no finite decimal number."""
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None
