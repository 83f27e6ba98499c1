"""Metric values as MLflow stores them: a NaN is a flag, an infinity is the largest float there is."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, case, false

LARGEST: Final = sys.float_info.max
_NAMES: Final = {None: "NAN", LARGEST: "POSITIVE_INFINITY", -LARGEST: "NEGATIVE_INFINITY"}


def value_of(metrics: FromClause) -> ColumnElement[Any]:
    """Return the value of a row of metrics in SQL, null where it is not a number."""
    return case((metrics.c.is_nan == false(), metrics.c.value))


def finite(number: float) -> float:
    """Return a number as it is compared with stored values: an infinity as what stands for it."""
    return min(max(number, -LARGEST), LARGEST)


def told_apart(values: list[float | None]) -> tuple[list[float | None], list[str | None]]:
    """Return the finite values and the names of those that are not, None in the place of the other."""
    if not values or _all_finite(values):
        return values, [None] * len(values)
    names = [_NAMES.get(value) for value in values]
    return [None if name else value for name, value in zip(names, values, strict=True)], names


def _all_finite(values: Sequence[Any]) -> bool:
    try:
        return bool(min(values) > -LARGEST and max(values) < LARGEST)
    except TypeError:  # a None is among them
        return False
