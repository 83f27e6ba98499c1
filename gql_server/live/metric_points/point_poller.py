"""Reading new points for all logs of one caller together."""

import asyncio
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from typing import Final

from gql_server.config.limits import LiveLimits
from gql_server.live.metric_points.log_reading import LogReading
from gql_server.live.metric_points.point_log import PointLog
from gql_server.stores.point_arrays import point_arrays
from schema.ports.errors import LimitExceeded, NotFound
from schema.ports.point_feed import PointFeed, SeriesStates
from schema.ports.tracking import Series

_PAUSE: Final = 3.0
"""The pause after a poll, in units of its duration: polling takes a quarter of one connection at most."""
_SHORTEST_SECONDS: Final = 0.05
"""The least pause. Changes that follow each other closely are read together."""


class PointPoller:
    """Reads the new points of several logs with a few calls, once an interval while there are logs.

    The number of calls does not depend on the number of logs: one finds the series that have changed, one
    reads their new points, and one more reads the series in which points arrived late.
    """

    def __init__(self, feed: PointFeed, limits: LiveLimits) -> None:
        self._feed = feed
        self._limits = limits
        self.logs: list[PointLog] = []
        self.context = Context()
        """The context of the latest subscriber, whose credentials are the newest."""
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, log: PointLog) -> None:
        """Read a log at once, and then with the others."""
        self.logs.append(log)
        self.wake()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), context=Context())

    def remove(self, log: PointLog) -> None:
        """Read a log no more."""
        with suppress(ValueError):
            self.logs.remove(log)
        if not self.logs and self._task is not None:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """End the polls and the streams of all logs."""
        for log in self.logs:
            log.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        """Begin the next poll now."""
        self._woken.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self.logs:
            self._woken.clear()
            began = loop.time()
            await asyncio.create_task(self.poll(), context=self.context.copy())
            pause = max(_SHORTEST_SECONDS, _PAUSE * (loop.time() - began))
            await asyncio.sleep(pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), max(0.0, self._limits.live_interval - pause))

    async def poll(self) -> None:
        """Read what is new for all logs. A failure of the store becomes the failure of each log."""
        logs = [log for log in self.logs if not log.is_complete and log.end is None]
        if not logs:
            return
        try:
            await self._read(logs)
        except Exception as error:  # noqa: BLE001 - the subscribers get it as an event
            for log in logs:
                log.change(failure=error)

    async def _read(self, logs: list[PointLog]) -> None:
        run_ids = list(dict.fromkeys(run_id for log in logs for run_id in log.run_ids))
        states = await self._feed.series_states(run_ids, _all_keys(logs))
        readings = self._readings(logs, states)
        await self._fetch({reading.log: reading.changed for reading in readings})
        await self._fetch({reading.log: reading.late for reading in readings})
        for reading in readings:
            reading.finish()

    async def _fetch(self, wanted: Mapping[PointLog, Mapping[Series, int | None]]) -> None:
        """Read the points of all logs from the given timestamps on, and add them to the logs."""
        since: dict[Series, int | None] = {}
        logs: dict[Series, list[PointLog]] = {}
        for log, series_of_log in wanted.items():
            for series, timestamp in series_of_log.items():
                logs.setdefault(series, []).append(log)
                earliest = since.get(series, timestamp)
                since[series] = None if earliest is None or timestamp is None else min(earliest, timestamp)
        if not since:
            return
        arrays = point_arrays(await self._feed.points_from(since))
        for series, points in zip(since, arrays, strict=True):
            for log in logs[series]:
                log.add(series, points)

    def _readings(self, logs: list[PointLog], states: SeriesStates) -> list[LogReading]:
        """Return the readings of the logs, but for those that end: an unknown run, or beyond a limit."""
        marks: dict[str, list[tuple[Series, Hashable]]] = {}
        for series, mark in states.marks.items():
            marks.setdefault(series[0], []).append((series, mark))
        total = sum(log.size for log in self.logs)
        readings = []
        for log in logs:
            unknown = [run_id for run_id in log.run_ids if run_id not in states.statuses]
            if unknown:
                message = f"There is no run with the id {unknown[0]!r}."
                log.change(end=NotFound(message))
                continue
            of_log = {
                series: mark
                for run_id in log.run_ids
                for series, mark in marks.get(run_id, ())
                if log.keys is None or series[1] in log.keys
            }
            reading = LogReading(log, states, of_log)
            error = self._beyond_limit(reading, len(of_log), total)
            if error is None:
                total += reading.points - log.size
                readings.append(reading)
            else:
                log.change(end=error)
        return readings

    def _beyond_limit(self, reading: LogReading, series: int, total: int) -> LimitExceeded | None:
        limits, size = self._limits, reading.log.size
        for count, what, limit, setting in (
            (series, "series", limits.max_stream_series, "GQL_MAX_STREAM_SERIES"),
            (reading.points, "points", limits.max_stream_points, "GQL_MAX_STREAM_POINTS"),
            (
                total + reading.points - size,
                "points of all streams",
                limits.max_live_points,
                "GQL_MAX_LIVE_POINTS",
            ),
        ):
            if count > limit:
                message = f"{count:,} {what} are more than {limit:,} ({setting}): select fewer runs or keys."
                return LimitExceeded(message)
        return None


def _all_keys(logs: Iterable[PointLog]) -> set[str] | None:
    """Return the keys of all logs together; None if one of them has all keys."""
    keys: set[str] = set()
    for log in logs:
        if log.keys is None:
            return None
        keys |= log.keys
    return keys
