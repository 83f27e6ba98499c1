"""Sampling of a history: the indexes of the points that represent it.

A series of consecutive values that are not finite is a gap. The sample contains its first point and the
finite points beside it, so that no line is drawn across it. All gaps together take up to half of the sample.
If there are too many gaps for that, the sample contains only their first points, and if these are still too
many, a part of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

from schema.ports.tracking import Sample

Indexes: TypeAlias = NDArray[np.intp]
Steps: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]

_LTTB: Final = LTTBDownsampler()
_MIN_MAX: Final = MinMaxDownsampler()
_MIN_POINTS: Final = 3
"""With fewer, there is no point to choose between the first and the last, and LTTB panics."""


def sampled_indexes(steps: Steps, values: Values, sample: Sample) -> Indexes:
    """Return the indexes of the sampled points, ascending: all if there are at most `sample.max_points`.

    The first and the last point are among them. The steps ascend; values that are not finite are gaps.
    """
    if len(values) <= sample.max_points:
        return np.arange(len(values))
    finite = np.isfinite(values)
    if finite.all():
        return _downsampled(steps, values, sample.max_points, sample.method)
    marks = _gap_marks(finite, sample.max_points)
    inner = np.flatnonzero(finite)
    ends = np.concatenate([inner[:1], inner[-1:]])
    # Downsampling includes the first and the last finite point, so they are counted there and not here.
    size = sample.max_points - len(np.setdiff1d(marks, ends))
    return np.union1d(marks, inner[_downsampled(steps[inner], values[inner], size, sample.method)])


def _gap_marks(finite: NDArray[np.bool_], size: int) -> Indexes:
    """Return the first and the last index, and as many of the indexes at gaps as fit."""
    ends = np.array([0, len(finite) - 1])
    turns = np.flatnonzero(finite[1:] != finite[:-1]) + 1
    gaps, after = turns[~finite[turns]], turns[finite[turns]]
    free = (size - len(ends)) // 2
    for marks in (np.concatenate([gaps - 1, gaps, after]), gaps):
        indexes = np.union1d(marks, ends)
        if len(indexes) - len(ends) <= free:
            return indexes
    return np.union1d(gaps[np.arange(free) * len(gaps) // max(free, 1)], ends)


def _downsampled(steps: Steps, values: Values, size: int, method: str) -> Indexes:
    """Return the indexes of up to `size` finite points, the first and the last among them."""
    if len(values) <= size:
        return np.arange(len(values))
    if size < _MIN_POINTS:
        return np.array([0, len(values) - 1] if size == _MIN_POINTS - 1 else [], np.intp)
    return _METHODS[method](steps, values, size)


def _lttb(steps: Steps, values: Values, size: int) -> Indexes:
    indexes: Any = _LTTB.downsample(_spread(steps), _scaled(values), n_out=size)
    return np.asarray(indexes, np.intp)


def _min_max(_: Steps, values: Values, size: int) -> Indexes:
    ends = np.array([0, len(values) - 1])
    pairs = (size - len(ends)) // 2
    if not pairs:
        return ends
    # The buckets of tsdownsample have equal lengths and may leave out the last point, which is added here.
    indexes: Any = _MIN_MAX.downsample(values, n_out=2 * pairs)
    return np.union1d(ends, np.asarray(indexes, np.intp))


def _every_nth(_: Steps, values: Values, size: int) -> Indexes:
    return np.arange(size) * (len(values) - 1) // (size - 1)


_METHODS: Final[Mapping[str, Callable[[Steps, Values, int], Indexes]]] = {
    "lttb": _lttb,
    "min_max": _min_max,
    "every_nth": _every_nth,
}


def _spread(steps: Steps) -> Values:
    """Return the steps as x coordinates for LTTB, counted from the first step.

    Large steps that differ are equal as floats, their distances are not. Points that share a step are spread
    up to the next step: LTTB compares areas, and points with the same x span none.
    """
    # Unsigned, the distance between the smallest and the largest step does not overflow.
    x: Values = (steps.astype(np.uint64) - steps[:1].astype(np.uint64)).astype(np.float64)
    firsts = np.flatnonzero(np.diff(x, prepend=-1.0))
    if len(firsts) == len(x):
        return x
    # Points of a single step get whole numbers: rounded fractions would make one of two equal areas larger.
    end = x[-1] + (x[-1] / (len(firsts) - 1) if len(firsts) > 1 else len(x))
    spread: Values = np.interp(np.arange(len(x)), np.append(firsts, len(x)), np.append(x[firsts], end))
    return spread


def _scaled(values: Values) -> Values:
    """Return the values in units of a power of two near the largest: exact, and areas do not overflow."""
    _, exponent = np.frexp(np.abs(values).max())
    scaled: Values = np.ldexp(values, -exponent)
    return scaled
