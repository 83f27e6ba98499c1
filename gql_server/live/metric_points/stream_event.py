"""One event of a stream: the next points after a position, up to a number of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gql_server.live.metric_points.logged_points import LoggedPoints
from gql_server.live.metric_points.point_log import PointLog
from gql_server.live.metric_points.stream_position import Indexes, StreamPosition
from gql_server.stores.sampling import sampled_indexes
from schema.ports.tracking import Sample, Series

_STEP_ORDER: Final = ("rank", "timestamp", "step")
"""The keys of numpy's lexsort, the most significant last."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamEvent:
    """The points of an event, the position after it, and whether nothing follows it."""

    points: list[tuple[Series, LoggedPoints]]
    position: StreamPosition
    is_complete: bool
    is_last: bool
    """Whether there are no more points now."""


@dataclass(frozen=True, slots=True)
class InitialSample:
    """The sample in place of the points that were there at first; `sizes` has how many of each series."""

    sample: Sample
    sizes: Mapping[int, int]


def next_event(
    log: PointLog, position: StreamPosition, max_points: int, initial: InitialSample | None = None
) -> StreamEvent:
    """Return the event after a position.

    What is pending comes first, by timestamp, step and value, and then what is in the log. The last key of
    each series then divides what was sent from what was not, but for points that arrived late.
    """
    event = _EventBuilder(log, position, max_points)
    for series, indexes in position.pending.items():
        event.take_pending(series, indexes)
    for series in range(len(log.series)):
        size = initial.sizes.get(series, 0) if initial is not None else 0
        if initial is not None and size and not position.taken.get(series):
            event.take_sample(series, size, initial.sample)
        else:
            event.take_new(series)
    return event.build()


class _EventBuilder:
    def __init__(self, log: PointLog, position: StreamPosition, max_points: int) -> None:
        self._log = log
        self._position = position
        self._free = max_points
        self._is_empty = True
        self._is_last = True
        self._pending: dict[int, Indexes] = dict(position.pending)
        self._steps: dict[int, tuple[int, LoggedPoints]] = {}
        self._shown: dict[int, LoggedPoints] = {}

    def take_pending(self, series: int, indexes: Indexes) -> None:
        taken = indexes[: self._free]
        if len(taken) < len(indexes):
            self._is_last = False
            self._pending[series] = indexes[len(taken) :]
        else:
            del self._pending[series]
        if len(taken):
            self._send(series, 0, self._log.series[series].points.all[taken])

    def take_sample(self, series: int, size: int, sample: Sample) -> None:
        points = self._log.series[series].points.all[:size]
        shown = points[np.lexsort(tuple(points[name] for name in _STEP_ORDER))]
        if size > sample.max_points:
            shown = shown[sampled_indexes(shown["step"].copy(), shown["value"].copy(), sample)]
        if len(shown) > self._free and not self._is_empty:
            # The points between those of a sample are in no event, so a sample is not divided.
            self._is_last, self._free = False, 0
            return
        self._send(series, size, points, shown)

    def take_new(self, series: int) -> None:
        points = self._log.series[series].points.all[self._position.taken.get(series, 0) :]
        if series in self._pending and len(points):
            self._is_last = False
            return
        sent = points[: max(self._free, 0)]
        if len(sent) < len(points):
            self._is_last = False
        if len(sent):
            self._send(series, len(sent), sent)

    def build(self) -> StreamEvent:
        log = self._log
        is_last = self._is_last
        position = log.head if is_last else self._position.advanced_all(self._steps, self._pending)
        points = [(log.series[series].series, shown) for series, shown in self._shown.items()]
        return StreamEvent(points, position, is_last and log.is_complete, is_last)

    def _send(self, series: int, taken: int, points: LoggedPoints, shown: LoggedPoints | None = None) -> None:
        shown = points if shown is None else shown
        self._is_empty = False
        self._free -= len(shown)
        before = self._steps.get(series)
        if before is not None:
            taken, points = taken + before[0], np.concatenate([before[1], points])
            shown = np.concatenate([self._shown[series], shown])
        self._steps[series], self._shown[series] = (taken, points), shown
