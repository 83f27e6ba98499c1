"""What goes past the cache of records: parts of tables, which nobody asks for twice."""

from collections.abc import Sequence

from schema.ports.long_histories import PointPosition
from schema.ports.table import Table
from schema.ports.tracking import Series, Tracking


class UncachedHistories:
    """The part of the port that is passed on to the store."""

    _inner: Tracking

    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        """Count the points of each metric, where the store can."""
        return await self._inner.count_points(series)

    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        """Return the first points of one metric behind a place."""
        return await self._inner.points_after(series, after, first)
