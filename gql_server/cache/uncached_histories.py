"""What goes past the cache of records: parts of tables, which nobody asks for twice."""

from collections.abc import Sequence

from schema.ports.long_histories import PointPlace
from schema.ports.table import Table
from schema.ports.tracking import Series, Tracking


class UncachedHistories:
    """The part of the port that is passed on to the store."""

    _inner: Tracking

    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        """Count the points of each metric, where the store can."""
        return await self._inner.count_points(series)

    async def points_behind(self, series: Series, after: PointPlace | None, first: int) -> Table:
        """Return the first points of one metric behind a place."""
        return await self._inner.points_behind(series, after, first)
