"""Points with a number that identifies each, in an array that grows."""

from hashlib import blake2b
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gql_server.stores.point_arrays import POINT, PointArray
from schema.ports.tracking import Series

LOGGED_POINT: Final = np.dtype([*POINT.descr, ("rank", np.int64), ("hash", np.uint64)])
"""A point; the rank of its value, in which a NaN follows the numbers; and a hash of the series and point."""

LoggedPoints: TypeAlias = NDArray[np.void]
Hashes: TypeAlias = NDArray[np.uint64]
PointKey: TypeAlias = tuple[int, int, int]
"""The timestamp, the step and the rank of the value of a point: all that makes it differ from others."""

_FIRST_SIZE: Final = 16


def series_hash(series: Series) -> int:
    """Return 64 bits that identify a series in every process."""
    run_id, key = series
    text = f"{len(run_id)}:{run_id}{key}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def logged(points: PointArray, identity: int) -> LoggedPoints:
    """Return points of the series with this hash, each once, by timestamp, step and value."""
    result = np.empty(len(points), LOGGED_POINT)
    # Zeros of both signs and all NaN are one value, as in databases.
    values = np.where(np.isnan(points["value"]), np.nan, points["value"] + 0.0)
    result["step"], result["timestamp"], result["value"] = points["step"], points["timestamp"], values
    bits = values.view(np.int64)
    result["rank"] = np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)
    state = np.full(len(points), identity, np.uint64)
    for name in ("timestamp", "step", "rank"):
        state = _mixed(state ^ result[name].view(np.uint64))
    result["hash"] = state
    _, firsts = np.unique(state, return_index=True)
    return in_order(result[firsts])


def in_order(points: LoggedPoints) -> LoggedPoints:
    """Return points by timestamp, step and value."""
    return points[np.lexsort((points["rank"], points["step"], points["timestamp"]))]


def last_key(points: LoggedPoints) -> PointKey:
    """Return the key of the last of the points, which are in order."""
    return key_of(points[-1])


def key_of(point: np.void) -> PointKey:
    """Return the key of a point."""
    return int(point["timestamp"]), int(point["step"]), int(point["rank"])


def not_after(points: LoggedPoints, key: PointKey) -> NDArray[np.bool_]:
    """Return for each point whether it precedes a key or has it."""
    timestamp, step, rank = key
    times, steps = points["timestamp"], points["step"]
    is_before: NDArray[np.bool_] = (times < timestamp) | (
        (times == timestamp) & ((steps < step) | ((steps == step) & (points["rank"] <= rank)))
    )
    return is_before


class GrowingPoints:
    """The points of one series in the order in which they were found."""

    def __init__(self) -> None:
        self._buffer: LoggedPoints = np.empty(0, LOGGED_POINT)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def all(self) -> LoggedPoints:
        """Return all points. The array does not change."""
        return self._buffer[: self._size]

    def append(self, points: LoggedPoints) -> None:
        """Add points; the time for each does not depend on how many there are."""
        size = self._size + len(points)
        if size > len(self._buffer):
            buffer = np.empty(max(size, 2 * self._size, _FIRST_SIZE), LOGGED_POINT)
            buffer[: self._size] = self.all
            self._buffer = buffer
        self._buffer[self._size : size] = points
        self._size = size


def _mixed(numbers: Hashes) -> Hashes:
    """Return the numbers mixed by splitmix64, in which each bit depends on all bits."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
