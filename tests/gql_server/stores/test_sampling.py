"""Properties of samples, for any curve and any number of points."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tsdownsample import LTTBDownsampler

from gql_server.stores.sampling import sampled_indexes
from schema.ports.tracking import Sample

By = Literal["lttb", "min_max", "every_nth"]
BYS: tuple[By, ...] = ("lttb", "min_max", "every_nth")

_int64 = st.integers(-(2**63), 2**63 - 1)
_any_value = st.floats(allow_subnormal=True)
_value = st.integers(-10_000, 10_000).map(lambda number: number / 64)
_max_points = st.integers(2, 40)


def sample_of(steps: Sequence[int], values: Sequence[float], max_points: int, by: By) -> list[int]:
    """Return the indexes of the points of a sample."""
    indexes: list[int] = sampled_indexes(
        np.array(steps, np.int64), np.array(values), Sample(max_points, by)
    ).tolist()
    return indexes


@st.composite
def curves(draw: st.DrawFn, value: st.SearchStrategy[float]) -> tuple[list[int], list[float]]:
    """Generate a curve: ascending steps, and values with gaps."""
    runs = draw(st.lists(st.tuples(value, st.integers(1, 9)), min_size=1, max_size=60))
    values = [one for one, times in runs for _ in range(times)]
    steps = draw(st.lists(_int64 | st.integers(-3, 3), min_size=len(values), max_size=len(values)))
    return sorted(steps), values


@settings(deadline=None, max_examples=300)
@given(curves(_any_value | st.just(np.nan)), _max_points, st.sampled_from(BYS))
def test_sample_is_sorted_and_limited(curve: tuple[list[int], list[float]], max_points: int, by: By) -> None:
    """A sample has at most the requested size, ascending distinct indexes, and both ends of the curve."""
    indexes = sample_of(*curve, max_points, by)
    size = len(curve[0])
    if size <= max_points:
        assert indexes == list(range(size))
        return
    assert 2 <= len(indexes) <= max_points
    assert all(before < after for before, after in pairwise(indexes))
    assert (indexes[0], indexes[-1]) == (0, size - 1)


@settings(deadline=None, max_examples=300)
@given(curves(_value | st.sampled_from([np.nan, np.inf, -np.inf])), _max_points, st.sampled_from(BYS))
def test_gaps_are_kept(curve: tuple[list[int], list[float]], max_points: int, by: By) -> None:
    """No gap is bridged if all fit in half of the sample, and none is widened if their edges fit too."""
    indexes = sample_of(*curve, max_points, by)
    finite = np.isfinite(curve[1]).tolist()
    inner = range(1, len(finite) - 1)
    gaps = [index for index in inner if finite[index - 1] and not finite[index]]
    edges = [index for index in inner if finite[index] and not (finite[index - 1] and finite[index + 1])]
    spare = (max_points - 2) // 2
    if len(gaps) <= spare:
        for before, after in pairwise(indexes):
            bridged = finite[before] and finite[after] and not all(finite[before : after + 1])
            assert not bridged
    if len(gaps) + len(edges) <= spare:
        assert set(gaps + edges) <= set(indexes)
    assert len(set(gaps) & set(indexes)) >= min(len(gaps), spare)


@settings(deadline=None, max_examples=200)
@given(st.lists(_value, min_size=4, max_size=300), st.integers(3, 60), st.data())
def test_lttb_equals_tsdownsample(values: list[float], max_points: int, data: st.DataObject) -> None:
    """For finite values with distinct steps, the result is that of tsdownsample."""
    gaps = data.draw(st.lists(st.integers(1, 50), min_size=len(values), max_size=len(values)))
    steps = np.cumsum([0, *gaps[1:]])
    expected = LTTBDownsampler().downsample(steps.astype(np.float64), np.array(values), n_out=max_points)
    assert sample_of(steps.tolist(), values, max_points, "lttb") == expected.tolist()


@settings(deadline=None, max_examples=100)
@given(st.lists(_value, min_size=4, max_size=200), st.integers(3, 40))
@example([1.0, 0.0, 0.0, 0.0, -1.0], 3)  # two equal areas
def test_lttb_works_at_any_scale(values: list[float], max_points: int) -> None:
    """Extreme steps and values, and steps that all points share, do not hide the curve."""
    steps = list(range(len(values)))
    expected = sample_of(steps, values, max_points, "lttb")
    assert sample_of([2**62 + index for index in steps], values, max_points, "lttb") == expected
    assert sample_of([-(2**63) + index for index in steps], values, max_points, "lttb") == expected
    assert sample_of([7] * len(values), values, max_points, "lttb") == expected
    assert sample_of(steps, [value * 2.0**1016 for value in values], max_points, "lttb") == expected
    assert sample_of(steps, [value * 2.0**-1060 for value in values], max_points, "lttb") == expected


def test_lttb_keeps_spikes_within_a_step() -> None:
    """A thousand points at each of ten steps are sampled by their values."""
    values = np.zeros(10_000)
    spikes = [500, 3333, 7777]
    values[spikes] = 1.0
    indexes = sample_of(np.repeat(np.arange(10), 1000).tolist(), values.tolist(), 100, "lttb")
    assert set(spikes) <= set(indexes)


@settings(deadline=None, max_examples=300)
@given(curves(_value), st.integers(4, 40))
def test_min_max_keeps_the_extremes(curve: tuple[list[int], list[float]], max_points: int) -> None:
    """The smallest value and the largest are in the sample."""
    values = [curve[1][index] for index in sample_of(*curve, max_points, "min_max")]
    assert (min(values), max(values)) == (min(curve[1]), max(curve[1]))


@settings(deadline=None, max_examples=200)
@given(curves(_value | st.just(np.nan)), st.integers(10, 60))
def test_min_max_keeps_the_extremes_beside_gaps(
    curve: tuple[list[int], list[float]], max_points: int
) -> None:
    """With ten points or more, they are in the sample also beside gaps."""
    numbers = np.array(curve[1])
    chosen = numbers[sample_of(*curve, max_points, "min_max")]
    if np.isfinite(numbers).any():
        assert (np.nanmin(chosen), np.nanmax(chosen)) == (np.nanmin(numbers), np.nanmax(numbers))


def test_min_max_keeps_each_spike() -> None:
    """A sample contains the extremes of each part, not only the extremes of the history."""
    values = np.sin(np.arange(100_000))
    spikes = list(range(700, 100_000, 5000))
    values[spikes] = range(2, 22)
    assert set(spikes) <= set(sample_of(range(100_000), values.tolist(), 500, "min_max"))


@given(st.integers(3, 5000), _max_points)
def test_every_nth_has_even_distances(size: int, max_points: int) -> None:
    """There are as many points as requested, at distances that differ by one at most."""
    indexes = sample_of(range(size), [0.5] * size, max_points, "every_nth")
    distances = {after - before for before, after in pairwise(indexes)}
    assert len(indexes) == min(size, max_points)
    assert max(distances) - min(distances) <= 1


@pytest.mark.parametrize("by", BYS)
def test_smallest_samples(by: By) -> None:
    """A sample of two points has the ends; samples of three and four are possible too."""
    values = [0.0, 9.0, -9.0, 1.0, 0.0, 2.0]
    assert sample_of(range(6), values, 2, by) == [0, 5]
    assert len(sample_of(range(6), values, 3, by)) <= 3
    assert len(sample_of(range(6), values, 4, by)) == 4


@pytest.mark.parametrize("by", BYS)
def test_curve_without_finite_values(by: By) -> None:
    """A curve without a finite value is sampled as one gap."""
    assert sample_of(range(9), [np.nan] * 9, 5, by) == [0, 8]
    assert sample_of(range(9), [1.0, *[np.inf] * 7, 2.0], 4, by) == [0, 1, 8]
