"""A summary of a set of points from which a few missing ones can be found."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gql_server.live.metric_points.logged_points import Hashes

CELLS: Final = 192
"""Enough for some hundred late points, in 2.3 kB of the text of a cursor."""
_PARTS: Final = 4
"""Each point is in one cell of each part. Two points with all four cells equal cannot be told apart, which is
one pair in five million."""
_PART_CELLS: Final = CELLS // _PARTS
_PART_BITS: Final = 16
_COUNTS: Final = 256
SKETCH_BYTES: Final = 9 * CELLS


class PointSketch:
    """An invertible Bloom lookup table: in each cell the number of its points, and the XOR of their hashes.

    If a set contains another, the cells of both differ by those of the missing points. A cell that differs by
    one point has its hash. Without that point other cells differ by one, until all are found.
    """

    def __init__(self, counts: NDArray[np.uint8] | None = None, sums: Hashes | None = None) -> None:
        # Of the counts only the differences matter, and those are small.
        self._counts = np.zeros(CELLS, np.uint8) if counts is None else counts
        self._sums = np.zeros(CELLS, np.uint64) if sums is None else sums

    @classmethod
    def of(cls, hashes: Iterable[Hashes]) -> "PointSketch":
        """Return the sketch of all points with these hashes."""
        sketch = cls()
        for part in hashes:
            sketch._add(part)
        return sketch

    @classmethod
    def from_bytes(cls, data: bytes) -> "PointSketch":
        """Return the sketch that `to_bytes` wrote; `data` has `SKETCH_BYTES`."""
        counts, sums = np.frombuffer(data[:CELLS], np.uint8), np.frombuffer(data[CELLS:], "<u8")
        return cls(counts.copy(), sums.astype(np.uint64))

    def to_bytes(self) -> bytes:
        """Return the sketch in the same form on every machine."""
        return self._counts.tobytes() + self._sums.astype("<u8").tobytes()

    def with_points(self, hashes: Hashes) -> "PointSketch":
        """Return the sketch of these points too."""
        sketch = PointSketch(self._counts.copy(), self._sums.copy())
        sketch._add(hashes)
        return sketch

    def missing(self, part: "PointSketch", count: int) -> Hashes | None:
        """Return the hashes of the `count` points that are here and not in `part`.

        Return None if there are too many to be found, or if `part` has points that are not here.
        """
        if count > CELLS:
            # It cannot succeed, and a client may have changed the sketch and the count.
            return None
        counts: list[int] = (self._counts - part._counts).tolist()  # noqa: SLF001 - of this class
        sums: list[int] = (self._sums ^ part._sums).tolist()  # noqa: SLF001
        found: list[int] = []
        cells = deque(cell for cell, number in enumerate(counts) if number == 1)
        while cells and len(found) < count:
            cell = cells.popleft()
            if counts[cell] != 1:
                continue
            hashed = sums[cell]
            found.append(hashed)
            for other in _cells(np.array([hashed], np.uint64))[:, 0].tolist():
                counts[other] = (counts[other] - 1) % _COUNTS
                sums[other] ^= hashed
                if counts[other] == 1:
                    cells.append(other)
        is_all = len(found) == count and not any(counts) and not any(sums)
        return np.array(found, np.uint64) if is_all else None

    def _add(self, hashes: Hashes) -> None:
        for cells in _cells(hashes):
            np.add.at(self._counts, cells, np.uint8(1))
            np.bitwise_xor.at(self._sums, cells, hashes)


def _cells(hashes: Hashes) -> NDArray[np.intp]:
    """Return the cell of each hash in each part."""
    return np.array(
        [
            part * _PART_CELLS
            + ((hashes >> np.uint64(part * _PART_BITS)) & np.uint64(0xFFFF)) % np.uint64(_PART_CELLS)
            for part in range(_PARTS)
        ],
        np.intp,
    )
