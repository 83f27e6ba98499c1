"""The part of the port that histories of any length are read by, a bounded part at a time."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from schema.ports.table import Table

PointPosition: TypeAlias = tuple[int, int, float | None]
"""A point's step, timestamp and value as the store keeps it: None where it is not a number, and last then."""


class LongHistories(Protocol):
    """What a store can do about histories that are too long to be read at once."""

    async def count_points(self, series: Sequence[tuple[str, str]]) -> Sequence[int] | None:
        """Count the points of each metric; None where the store can only tell by reading them all."""
        ...

    async def points_after(self, series: tuple[str, str], after: PointPosition | None, first: int) -> Table:
        """Return the first points of one metric behind a place, by step, timestamp and value.

        The columns are those of points, and `stored`: the values as the place of a point has them. Asked only
        of stores that count.
        """
        ...
