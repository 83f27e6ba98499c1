"""Which points of a history show the whole of it: of columns as arrays, the places to keep.

A run of values that are not finite is a gap. Its first point and the finite ones beside it are kept, so
that no line is drawn across; all gaps together take up to half of the places. Where there are too many gaps
for that, their first points are kept, and in the end as many of these as there is room for.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

from schema.ports.tracking import Sample

Places: TypeAlias = NDArray[np.intp]
Steps: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]

_LTTB: Final = LTTBDownsampler()
_MIN_MAX: Final = MinMaxDownsampler()
_FEWEST: Final = 3
"""With fewer, there is nothing to choose between the first point and the last; LTTB panics."""


def places(steps: Steps, values: Values, sample: Sample) -> Places:
    """Return the places of the points to keep, ascending: all if there are at most `sample.max_points`.

    The first and the last are among them. The steps ascend; values that are not finite are gaps.
    """
    if len(values) <= sample.max_points:
        return np.arange(len(values))
    finite = np.isfinite(values)
    if finite.all():
        return _thin(steps, values, sample.max_points, sample.method)
    kept = _marks(finite, sample.max_points)
    inner = np.flatnonzero(finite)
    ends = np.concatenate([inner[:1], inner[-1:]])
    # The ends are kept by whoever thins the finite points out, and have places among those.
    room = sample.max_points - len(np.setdiff1d(kept, ends))
    return np.union1d(kept, inner[_thin(steps[inner], values[inner], room, sample.method)])


def _marks(finite: NDArray[np.bool_], most: int) -> Places:
    """Return the first place and the last, and those that mark the gaps as far as there is room."""
    ends = np.array([0, len(finite) - 1])
    turns = np.flatnonzero(finite[1:] != finite[:-1]) + 1
    gaps, after = turns[~finite[turns]], turns[finite[turns]]
    spare = (most - len(ends)) // 2
    for marks in (np.concatenate([gaps - 1, gaps, after]), gaps):
        kept = np.union1d(marks, ends)
        if len(kept) - len(ends) <= spare:
            return kept
    return np.union1d(gaps[np.arange(spare) * len(gaps) // max(spare, 1)], ends)


def _thin(steps: Steps, values: Values, room: int, by: str) -> Places:
    """Return as many places of finite points as there is room for, the first and the last among them."""
    if len(values) <= room:
        return np.arange(len(values))
    if room < _FEWEST:
        return np.array([0, len(values) - 1] if room == _FEWEST - 1 else [], np.intp)
    return _WAYS[by](steps, values, room)


def _lttb(steps: Steps, values: Values, room: int) -> Places:
    chosen: Any = _LTTB.downsample(_apart(steps), _scaled(values), n_out=room)
    return np.asarray(chosen, np.intp)


def _min_max(_: Steps, values: Values, room: int) -> Places:
    ends = np.array([0, len(values) - 1])
    pairs = (room - len(ends)) // 2
    if not pairs:
        return ends
    # Its stretches are of equal length and together may leave out the last point, which is kept anyway.
    chosen: Any = _MIN_MAX.downsample(values, n_out=2 * pairs)
    return np.union1d(ends, np.asarray(chosen, np.intp))


def _every_nth(_: Steps, values: Values, room: int) -> Places:
    return np.arange(room) * (len(values) - 1) // (room - 1)


_WAYS: Final[Mapping[str, Callable[[Steps, Values, int], Places]]] = {
    "lttb": _lttb,
    "min_max": _min_max,
    "every_nth": _every_nth,
}


def _apart(steps: Steps) -> Values:
    """Return the steps as LTTB's x: counted from the first, since floats of large ones are all the same.

    Points that share a step are spread up to the next one. LTTB compares areas, and points straight above
    one another span none.
    """
    # Unsigned, the distance between the least step and the greatest does not overflow.
    x: Values = (steps.astype(np.uint64) - steps[:1].astype(np.uint64)).astype(np.float64)
    firsts = np.flatnonzero(np.diff(x, prepend=-1.0))
    if len(firsts) == len(x):
        return x
    end = x[-1] + (x[-1] / (len(firsts) - 1) if len(firsts) > 1 else 1.0)
    spread: Values = np.interp(np.arange(len(x)), np.append(firsts, len(x)), np.append(x[firsts], end))
    return spread


def _scaled(values: Values) -> Values:
    """Return the values in units of a power of two near the greatest: exact, and areas do not overflow."""
    _, exponent = np.frexp(np.abs(values).max())
    scaled: Values = np.ldexp(values, -exponent)
    return scaled
