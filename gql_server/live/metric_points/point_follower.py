"""What one subscriber gets of a log: first what is there, then what is new."""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from gql_server.live.metric_points.point_log import PointLog
from gql_server.live.metric_points.stream_cursor import encode_cursor, resume
from gql_server.live.metric_points.stream_event import InitialSample, StreamEvent, next_event
from gql_server.live.metric_points.stream_position import StreamPosition
from schema.ports.point_batch import PointSelection

_SHARED_BATCHES: Final = 4
"""Subscribers that have got all points get one batch; those that are slow are at other positions."""


@dataclass(frozen=True, slots=True, eq=False)
class PointBatch:
    """One event, with the cursor after it. Subscribers at the same position get the same object."""

    event: StreamEvent
    cursor: str


class PointBatches:
    """The latest batches of a log, which are made once for all subscribers."""

    def __init__(self, log: PointLog, max_points: int) -> None:
        self.log = log
        self._max_points = max_points
        self._batches: OrderedDict[tuple[StreamPosition, int], PointBatch] = OrderedDict()

    def after(self, position: StreamPosition, initial: InitialSample | None) -> PointBatch:
        """Return the batch that follows a position; that of a sample is not shared."""
        if initial is not None:
            return self._make(position, initial)
        key = position, self.log.version
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = self._make(position, None)
            if len(self._batches) > _SHARED_BATCHES:
                self._batches.popitem(last=False)
        return batch

    def _make(self, position: StreamPosition, initial: InitialSample | None) -> PointBatch:
        event = next_event(self.log, position, self._max_points, initial)
        return PointBatch(event, encode_cursor(self.log, event.position))


class PointFollower:
    """Follows a log from the position of one subscriber, as fast as the subscriber takes the batches."""

    def __init__(self, batches: PointBatches, selection: PointSelection) -> None:
        self._log = batches.log
        self._batches = batches
        self._selection = selection
        self._position = StreamPosition()
        self._initial: InitialSample | None = None
        self._failure: Exception | None = None

    async def events(self) -> AsyncGenerator[PointBatch | Exception]:
        """Yield batches until the log is complete, and an error when the store begins to fail.

        Raise the error with which the log ends, and `BadUserInput` for a cursor that does not fit.
        """
        log = self._log
        while not log.is_loaded:
            version = log.version
            self._raise_end()
            if log.is_closed:
                return
            if self._begins_to_fail():
                yield log.failure or RuntimeError()
            await log.wait_after(version)
        self._start()
        is_first = True
        while True:
            version = log.version
            if self._begins_to_fail():
                yield log.failure or RuntimeError()
            batch = self._batches.after(self._position, self._initial)
            event = batch.event
            if event.points or event.is_complete or is_first:
                is_first, self._position = False, event.position
                yield batch
            if event.is_complete or log.is_closed:
                return
            if event.is_last:
                self._raise_end()
                self._initial = None
                await log.wait_after(version)

    def _start(self) -> None:
        if self._selection.after is not None:
            self._position = resume(self._log, self._selection.after)
        elif self._selection.sample is not None:
            sizes = {index: len(series) for index, series in enumerate(self._log.series)}
            self._initial = InitialSample(self._selection.sample, sizes)

    def _raise_end(self) -> None:
        if self._log.end is not None:
            raise self._log.end

    def _begins_to_fail(self) -> bool:
        """Return whether the store fails since the last call: each outage is one event."""
        before, self._failure = self._failure, self._log.failure
        return before is None and self._failure is not None
