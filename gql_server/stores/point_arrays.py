"""The points of one history as an array: 24 bytes for each point in place of three objects."""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gql_server.stores.sampling import sampled_indexes
from schema.ports.non_finite import LARGEST_FLOAT, joined, split_value
from schema.ports.table import Many
from schema.ports.tracking import Sample

POINT: Final = np.dtype([("step", np.int64), ("timestamp", np.int64), ("value", np.float64)])

PointArray: TypeAlias = NDArray[np.void]

INTEGERS: Final = "q"
"""The type code of 64-bit integers in Python's `array`."""
NUMBERS: Final = "d"
"""The type code of floats in Python's `array`."""


def point_array(points: Iterable[tuple[int, int, float | None]], *, largest_is_infinite: bool) -> PointArray:
    """Return the points as an array, None as NaN. The iterable is consumed once.

    With `largest_is_infinite`, the largest float becomes an infinity, as in MLflow's databases.
    """
    columns = np.fromiter(points, POINT)
    if largest_is_infinite:
        with_infinities(columns["value"])
    return columns


def with_infinities(values: NDArray[Any]) -> None:
    """Replace the largest float by an infinity, as which MLflow's databases store it."""
    values[values == LARGEST_FLOAT] = np.inf
    values[values == -LARGEST_FLOAT] = -np.inf


def concatenated(arrays: Sequence[PointArray]) -> PointArray:
    """Return the points of all arrays in one."""
    return np.concatenate([np.empty(0, POINT), *arrays])


def sampled(points: PointArray, sample: Sample) -> PointArray:
    """Return a sample of points, by step, timestamp and value, a NaN after the numbers."""
    steps = points["step"]
    if not (steps[1:] > steps[:-1]).all():
        points = points[np.lexsort((points["value"], points["timestamp"], steps))]
    if len(points) <= sample.max_points:
        return points
    return points[sampled_indexes(points["step"].copy(), points["value"].copy(), sample)]


def columns_of(arrays: Sequence[PointArray]) -> dict[str, Sequence[Any]]:
    """Return the columns of points that the port specifies, for the points of all arrays."""
    points = concatenated(arrays)
    values, names = non_finite_split(array(NUMBERS, points["value"].tobytes()))
    return {
        "step": array(INTEGERS, points["step"].tobytes()),
        "timestamp": array(INTEGERS, points["timestamp"].tobytes()),
        "value": values,
        "non_finite": names,
    }


def non_finite_split(values: "array[float]") -> tuple[Sequence[float | None], Sequence[str | None]]:
    """Return the columns `value` and `non_finite`; the values remain an array if all are finite."""
    names: list[str | None] = [None] * len(values)
    indexes = np.flatnonzero(~np.isfinite(np.asarray(values))).tolist()
    if not indexes:
        return values, names
    finite: list[float | None] = [*values]
    for index in indexes:
        finite[index], names[index] = split_value(values[index], largest_is_infinite=False)
    return finite, names


def point_arrays(histories: Many) -> list[PointArray]:
    """Return the points of each history of the port as an array."""
    rows = histories.rows
    points = np.empty(rows.size, POINT)
    points["step"], points["timestamp"] = rows["step"], rows["timestamp"]
    # Of an array there is no list to make; a list has None for a value that is not finite.
    values = rows["value"]
    points["value"] = values if isinstance(values, array) else list(map(joined, values, rows["non_finite"]))
    return [points[start:stop] for start, stop in histories.spans]
