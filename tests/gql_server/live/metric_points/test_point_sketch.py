"""Missing points are found from the difference of two sketches, or not at all."""

import numpy as np
import pytest

from gql_server.live.metric_points.point_sketch import SKETCH_BYTES, PointSketch

_RANDOM = np.random.default_rng(7)
_HASHES = _RANDOM.integers(0, 2**64, 100_000, np.uint64)


@pytest.mark.parametrize("missing", [0, 1, 2, 50, 100])
def test_missing_points_are_found(missing: int) -> None:
    """Up to a hundred points that one of two large sets lacks are found."""
    stored, sent = PointSketch.of([_HASHES]), PointSketch.of([_HASHES[missing:]])
    found = stored.missing(sent, missing)
    assert found is not None
    assert set(found.tolist()) == set(_HASHES[:missing].tolist())


def test_too_many_missing_points_are_not_found() -> None:
    """More points than there are cells cannot be found."""
    assert PointSketch.of([_HASHES]).missing(PointSketch.of([_HASHES[400:]]), 400) is None


def test_foreign_points_are_not_taken_for_missing_ones() -> None:
    """If the other set has a point that this one lacks, nothing is found."""
    foreign = PointSketch.of([_HASHES[1:50], _HASHES[:1] ^ np.uint64(1)])
    assert PointSketch.of([_HASHES[:50]]).missing(foreign, 1) is None


def test_bytes_are_the_sketch() -> None:
    """A sketch that was written and read again finds the same points."""
    data = PointSketch.of([_HASHES[3:]]).to_bytes()
    assert len(data) == SKETCH_BYTES
    found = PointSketch.of([_HASHES]).missing(PointSketch.from_bytes(data), 3)
    assert found is not None
    assert set(found.tolist()) == set(_HASHES[:3].tolist())
