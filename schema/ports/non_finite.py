"""The values of metrics that are not finite: NaN and the infinities, which JSON has no numbers for.

In a table of metrics or points, such a value is None in the column `value` and a name in `non_finite`.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

NAN: Final = "NAN"
POSITIVE_INFINITY: Final = "POSITIVE_INFINITY"
NEGATIVE_INFINITY: Final = "NEGATIVE_INFINITY"

FLOATS: Final[Mapping[str, float]] = {
    NAN: math.nan,
    POSITIVE_INFINITY: math.inf,
    NEGATIVE_INFINITY: -math.inf,
}
"""The float of each name."""

LARGEST_FLOAT: Final = sys.float_info.max
"""MLflow's databases store an infinity as this number with its sign, and never convert it back."""

Split: TypeAlias = tuple[list[float | None], list[str | None]]
"""The columns `value` and `non_finite`."""

_STORED_NAMES: Final = {None: NAN, LARGEST_FLOAT: POSITIVE_INFINITY, -LARGEST_FLOAT: NEGATIVE_INFINITY}


def clamped(number: float) -> float:
    """Return a number as MLflow's databases store it: an infinity as the largest float of its sign."""
    return max(min(number, LARGEST_FLOAT), -LARGEST_FLOAT)


def split_value(value: float, *, largest_is_infinite: bool) -> tuple[float | None, str | None]:
    """Return a finite value and None, or None and the name of the value.

    With `largest_is_infinite`, the largest float is an infinity, as in MLflow's databases.
    """
    if math.isnan(value):
        return None, NAN
    limit = LARGEST_FLOAT if largest_is_infinite else math.inf
    if -limit < value < limit:
        return value, None
    return None, POSITIVE_INFINITY if value > 0 else NEGATIVE_INFINITY


def split_stored(values: list[float | None]) -> Split:
    """Split a column of a database, in which None is NaN and the largest float is an infinity."""
    if not values or _all_finite(values):
        return values, [None] * len(values)
    names = [_STORED_NAMES.get(value) for value in values]
    return [None if name else value for name, value in zip(names, values, strict=True)], names


def joined(value: float | None, name: str | None) -> float:
    """Return the float that a value and its name in `non_finite` represent; NaN if both are None."""
    return value if value is not None else FLOATS[name or NAN]


def _all_finite(values: Sequence[Any]) -> bool:
    try:
        return bool(min(values) > -LARGEST_FLOAT and max(values) < LARGEST_FLOAT)
    except TypeError:  # There is a None among them.
        return False
