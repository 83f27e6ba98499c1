"""Conditions on runs and experiments: plain records with the same meaning on every store.

A condition is either true or false for a record; there is no third value. A predicate on a value that the
record does not have is false, for `ne` and `not_in` too, as in MLflow; only `is_null` tests for a missing
value. So `Not(predicate)` is true for records without the value. `AllOf(())` is always true, `AnyOf(())`
never.

- `like` and `ilike` take SQL patterns: `%` matches any text, `_` any one character. As in MLflow, nothing
  escapes them. `like` is case-sensitive, `ilike` is not.
- `gt`, `gte`, `lt` and `lte` on a param or a tag compare its text as a number (`parse_number`). Text that is
  not a number never matches.
- A predicate on a dataset is true for a run if any of its input datasets matches. It has no numbers and no
  `is_null`.
- As in MLflow, a metric that is NaN matches `ne` and `is_null: false` only. Infinities compare as numbers.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

KeyKind: TypeAlias = Literal["attribute", "metric", "param", "tag"]
"""What a key names: a column that every record has, or a metric, param or tag."""

PredicateKind: TypeAlias = KeyKind | Literal["dataset"]
"""What the key of a predicate names; that of a dataset is `name`, `digest` or `context`."""

Operator: TypeAlias = Literal[
    "eq", "ne", "in", "not_in", "like", "ilike", "gt", "gte", "lt", "lte", "is_null"
]
Value: TypeAlias = str | int | float | bool | tuple[str, ...]

NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
"""The pattern of a number in a param or a tag: a decimal literal, in a form that every database can match."""

PARENT_TAG = "mlflow.parentRunId"
"""The tag in which MLflow stores the id of a run's parent."""

_NUMBER = re.compile(NUMBER)


@dataclass(frozen=True, slots=True)
class Predicate:
    """One comparison. `key` is the key of a metric, param or tag, and otherwise a column.

    The attribute `parent_run_id` is the tag `mlflow.parentRunId`; `duration_seconds` is the time between
    `started_at` and `ended_at`. `value` is a bool for `is_null` and a tuple for `in` and `not_in`. Times are
    in milliseconds.
    """

    by: PredicateKind
    key: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class AllOf:
    """True if every part is true."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True if at least one part is true."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is false."""

    part: "Condition"


Condition: TypeAlias = Predicate | AllOf | AnyOf | Not


def parse_number(text: str) -> float | None:
    """Return the value of a param or tag that is a finite decimal number, and None for any other text."""
    if _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    return number if math.isfinite(number) else None
