"""The points of one set of series, as they were found in the store."""

import asyncio
from collections.abc import Collection, Hashable, Sequence

import numpy as np

from gql_server.live.metric_points.logged_points import (
    GrowingPoints,
    LoggedPoints,
    logged,
    series_hash,
)
from gql_server.live.metric_points.stream_position import StreamPosition
from gql_server.stores.point_arrays import PointArray
from schema.ports.errors import PublicError
from schema.ports.tracking import Series


class SeriesLog:
    """The points of one series, and what the store had when they were read."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.identity = series_hash(series)
        self.points = GrowingPoints()
        self.mark: Hashable = None
        """The mark in the store before the last reading."""
        self.surplus = 0
        """How many points the store counts more than there are: those that are equal here."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def last_timestamp(self) -> int | None:
        """Return the latest timestamp; None without points."""
        return int(self.points.all["timestamp"].max()) if len(self) else None

    def add(self, points: PointArray) -> LoggedPoints:
        """Add the points that are not here yet, and return them, by timestamp, step and value."""
        read = logged(points, self.identity)
        here = self.points.all
        if len(read):
            # Only these can be equal to what was read; comparing all would sort all.
            here = here[here["timestamp"] >= read["timestamp"][0]]
        new = read[~np.isin(read["hash"], here["hash"])]
        self.points.append(new)
        return new


class PointLog:
    """The points of some runs and keys in the order in which they were found, and those who wait for more.

    All of it is in memory while there is a subscriber: a subscriber needs only its position in the log, and
    one that is slow goes on from there. `keys` None are all keys.
    """

    def __init__(self, run_ids: Sequence[str], keys: Collection[str] | None) -> None:
        self.run_ids = tuple(dict.fromkeys(run_ids))
        self.keys = None if keys is None else frozenset(keys)
        self.series: list[SeriesLog] = []
        self.subscribers = 0
        self.is_loaded = False
        """Whether all that was in the store has been read once."""
        self.is_complete = False
        """Whether all runs have ended and all of their points are here."""
        self.failure: Exception | None = None
        """Why the last reading failed; the next one may succeed."""
        self.end: PublicError | None = None
        """Why the log has ended."""
        self.is_closed = False
        """Whether the server stops."""
        self.version = 0
        """The number of changes."""
        self.readings = 0
        """The number of readings so far."""
        self.head = StreamPosition()
        """The position of a subscriber that has got all points."""
        self._by_series: dict[Series, SeriesLog] = {}
        self._indexes: dict[Series, int] = {}
        self._changed = asyncio.Event()

    @property
    def size(self) -> int:
        """Return the number of points."""
        return sum(map(len, self.series))

    def find(self, series: Series) -> SeriesLog | None:
        """Return the log of a series, if it has been read."""
        return self._by_series.get(series)

    def add(self, series: Series, points: PointArray) -> int:
        """Add the new ones among the points of a series, and return their number."""
        log = self._by_series.get(series)
        if log is None:
            log = self._by_series[series] = SeriesLog(series)
            self._indexes[series] = len(self.series)
            self.series.append(log)
        new = log.add(points)
        if len(new):
            self.head = self.head.advanced(self._indexes[series], len(new), new)
            self.version += 1
        return len(new)

    def change(
        self,
        *,
        loaded: bool = False,
        complete: bool = False,
        failure: Exception | None = None,
        end: PublicError | None = None,
    ) -> None:
        """Note the result of a reading, and wake those who wait."""
        state = (self.is_loaded, self.is_complete, self.failure, self.end)
        self.is_loaded = self.is_loaded or loaded
        self.is_complete, self.failure, self.end = complete, failure, end
        if state != (self.is_loaded, self.is_complete, self.failure, self.end):
            self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """End the streams of the log after the event that each has now."""
        self.is_closed = True
        self.version += 1
        self._changed.set()

    async def wait_after(self, version: int) -> None:
        """Wait until something has changed after a version."""
        while self.version == version:
            await self._changed.wait()
