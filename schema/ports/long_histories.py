"""The part of the tracking port that reads metric histories of any length in parts of limited size."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from schema.ports.table import Table

PointPosition: TypeAlias = tuple[int, int, float | None]
"""The step, timestamp and stored value of a point. The value is None for NaN, which sorts last."""


class LongHistories(Protocol):
    """Reads histories that are too long to be read in one call."""

    async def count_points(self, series: Sequence[tuple[str, str]]) -> Sequence[int] | None:
        """Count the points of each series (run id and metric key); 0 if there is no such run or metric.

        Return None if the store can count only by reading every point.
        """
        ...

    async def points_after(self, series: tuple[str, str], after: PointPosition | None, first: int) -> Table:
        """Return up to `first` points of one series that follow `after`; None starts at the first point.

        Points are ordered by step, timestamp and value. The columns are step, timestamp, value, non_finite
        and `stored`; `stored` is the value for the `PointPosition` of the row. Raise `UnsupportedByStore` if
        `count_points` returns None.
        """
        ...
