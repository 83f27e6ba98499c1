"""The streams of points of one process: who shares a log, and what each subscriber gets."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from contextvars import copy_context
from typing import TypeAlias

from gql_server.config.limits import LiveLimits
from gql_server.live.metric_points.point_follower import (
    PointBatch,
    PointBatches,
    PointFollower,
)
from gql_server.live.metric_points.point_log import PointLog
from gql_server.live.metric_points.point_poller import PointPoller
from schema.ports.errors import BadUserInput
from schema.ports.point_batch import PointSelection
from schema.ports.point_feed import PointFeed
from schema.ports.run_id import is_run_id

_LogKey: TypeAlias = tuple[str | None, frozenset[str], frozenset[str] | None]


class MetricPointStreams:
    """Streams the points of metrics to any number of subscribers; the store is read once for all of them.

    Subscribers of the same runs and keys share a `PointLog`. The logs of one principal (None unless the store
    sees the caller's credentials) share a `PointPoller`.
    """

    def __init__(self, feed: PointFeed, limits: LiveLimits) -> None:
        self._feed = feed
        self._limits = limits
        self._pollers: dict[str | None, PointPoller] = {}
        self._batches: dict[_LogKey, PointBatches] = {}
        self._subscribers = 0

    @property
    def logs(self) -> int:
        """Return the number of different sets of runs and keys."""
        return len(self._batches)

    @property
    def subscribers(self) -> int:
        """Return the number of subscribers."""
        return self._subscribers

    def wake(self) -> None:
        """Read new points now, because the store has changed."""
        for poller in self._pollers.values():
            poller.wake()

    async def close(self) -> None:
        """End all streams after the event that each has now."""
        for poller in list(self._pollers.values()):
            await poller.close()

    async def batches(
        self, selection: PointSelection, principal: str | None = None
    ) -> AsyncGenerator[PointBatch | Exception]:
        """Yield the points that are there, and then new ones, until all runs have ended.

        An error that is yielded is one of the store, after which the stream goes on. The generator waits
        while its consumer is slow, and goes on where it was. Raise `NotFound` for an unknown run,
        `BadUserInput` for a cursor that is not of this selection, and `LimitExceeded`.
        """
        self._check(selection)
        key = principal, frozenset(selection.run_ids), _key_set(selection.keys)
        batches = self._join(key, selection)
        try:
            async with aclosing(PointFollower(batches, selection).events()) as events:
                async for event in events:
                    yield event
        finally:
            self._leave(key, batches)

    def _join(self, key: _LogKey, selection: PointSelection) -> PointBatches:
        poller = self._pollers.get(key[0])
        if poller is None:
            poller = self._pollers[key[0]] = PointPoller(self._feed, self._limits)
        poller.context = copy_context()
        batches = self._batches.get(key)
        if batches is None or batches.log.is_complete or batches.log.end is not None:
            # A run may have been resumed since its log was complete.
            log = PointLog(selection.run_ids, selection.keys)
            batches = self._batches[key] = PointBatches(log, self._limits.stream_batch_points)
            poller.add(log)
        batches.log.subscribers += 1
        self._subscribers += 1
        return batches

    def _leave(self, key: _LogKey, batches: PointBatches) -> None:
        log = batches.log
        self._subscribers -= 1
        log.subscribers -= 1
        if log.subscribers:
            return
        if self._batches.get(key) is batches:
            del self._batches[key]
        poller = self._pollers[key[0]]
        poller.remove(log)
        if not poller.logs:
            del self._pollers[key[0]]

    def _check(self, selection: PointSelection) -> None:
        limits = self._limits
        for run_id in selection.run_ids:
            if not is_run_id(run_id):
                message = f"{run_id[:300]!r} is not the id of a run."
                raise BadUserInput(message)
        if not selection.run_ids:
            message = "metricPoints takes at least one run id."
            raise BadUserInput(message)
        for count, what, limit, setting in (
            (len(selection.run_ids), "runs", limits.max_stream_runs, "GQL_MAX_STREAM_RUNS"),
            (len(selection.keys or ()), "keys", limits.max_stream_series, "GQL_MAX_STREAM_SERIES"),
        ):
            if count > limit:
                message = f"metricPoints takes up to {limit:,} {what} ({setting})."
                raise BadUserInput(message)
        if selection.sample is not None and selection.sample.max_points > limits.stream_batch_points:
            message = f"maxPoints may be up to {limits.stream_batch_points:,} (GQL_STREAM_BATCH_POINTS)."
            raise BadUserInput(message)


def _key_set(keys: Collection[str] | None) -> frozenset[str] | None:
    return None if keys is None else frozenset(keys)
