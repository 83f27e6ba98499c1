"""The points of one history as an array: 24 bytes for each point in place of three objects."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gql_server.stores.sampling import sampled_indexes
from schema.ports.non_finite import LARGEST_FLOAT, Split, split_value
from schema.ports.tracking import Sample

POINT: Final = np.dtype([("step", np.int64), ("timestamp", np.int64), ("value", np.float64)])

PointArray: TypeAlias = NDArray[np.void]


def point_array(points: Iterable[tuple[int, int, float | None]], *, largest_is_infinite: bool) -> PointArray:
    """Return the points as an array, None as NaN. The iterable is consumed once.

    With `largest_is_infinite`, the largest float becomes an infinity, as in MLflow's databases.
    """
    array = np.fromiter(points, POINT)
    if largest_is_infinite:
        values = array["value"]
        values[values == LARGEST_FLOAT] = np.inf
        values[values == -LARGEST_FLOAT] = -np.inf
    return array


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


def columns_of(arrays: Sequence[PointArray]) -> dict[str, list[Any]]:
    """Return the columns of points that the port specifies, for the points of all arrays."""
    points = concatenated(arrays)
    values, names = _split(points["value"])
    return {
        "step": points["step"].tolist(),
        "timestamp": points["timestamp"].tolist(),
        "value": values,
        "non_finite": names,
    }


def _split(values: NDArray[Any]) -> Split:
    floats: list[float] = values.tolist()
    finite: list[float | None] = [*floats]
    names: list[str | None] = [None] * len(floats)
    for index in np.flatnonzero(~np.isfinite(values)).tolist():
        finite[index], names[index] = split_value(floats[index], largest_is_infinite=False)
    return finite, names
