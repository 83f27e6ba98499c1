"""Curves: the points of one history as an array, 24 bytes a point instead of three objects."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gql_server.stores.sampling import places
from schema.ports.tracking import Sample

POINT: Final = np.dtype([("step", np.int64), ("timestamp", np.int64), ("value", np.float64)])
_LARGEST: Final = sys.float_info.max
_NAMES: Final = {np.inf: "POSITIVE_INFINITY", -np.inf: "NEGATIVE_INFINITY"}

PointArray: TypeAlias = NDArray[np.void]


def curve_of(points: Iterable[tuple[int, int, float | None]], *, largest_is_infinite: bool) -> PointArray:
    """Return points as a curve, of a value that is None a NaN; they are gone through one by one.

    Databases of MLflow's hold the largest float in the place of an infinity.
    """
    curve = np.fromiter(points, POINT)
    if largest_is_infinite:
        values = curve["value"]
        values[values == _LARGEST] = np.inf
        values[values == -_LARGEST] = -np.inf
    return curve


def joined_curve(parts: Sequence[PointArray]) -> PointArray:
    """Return curves one behind the other."""
    return np.concatenate([np.empty(0, POINT), *parts])


def sampled(curve: PointArray, sample: Sample) -> PointArray:
    """Return a sample of a curve, by step, timestamp and value, a NaN behind the numbers."""
    steps = curve["step"]
    if not (steps[1:] > steps[:-1]).all():
        curve = curve[np.lexsort((curve["value"], curve["timestamp"], steps))]
    if len(curve) <= sample.max_points:
        return curve
    return curve[places(curve["step"].copy(), curve["value"].copy(), sample)]


def columns_of(curves: Sequence[PointArray]) -> dict[str, list[Any]]:
    """Return the port's columns of points, of curves one behind the other."""
    points = joined_curve(curves)
    values, names = _told_apart(points["value"])
    return {
        "step": points["step"].tolist(),
        "timestamp": points["timestamp"].tolist(),
        "value": values,
        "non_finite": names,
    }


def _told_apart(values: NDArray[Any]) -> tuple[list[float | None], list[str | None]]:
    told: list[float | None] = values.tolist()
    names: list[str | None] = [None] * len(told)
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        names[place] = _NAMES.get(values[place], "NAN")
        told[place] = None
    return told, names
