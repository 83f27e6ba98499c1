"""One reading of one log: which of its series to read, and what is known afterwards."""

from collections.abc import Hashable, Mapping
from typing import Final

from gql_server.live.metric_points.point_log import PointLog
from schema.ports.point_feed import SeriesStates
from schema.ports.tracking import Series

ENDED: Final = frozenset({"FINISHED", "FAILED", "KILLED"})
"""The statuses of runs that have ended."""
_WHOLE_READINGS: Final = 10
"""Of how many readings one is of whole series, in a store that does not count their points."""


class LogReading:
    """The series of a log that are read because of their marks.

    `changed` has each from its last timestamp, or None for the whole series.
    """

    def __init__(self, log: PointLog, states: SeriesStates, marks: Mapping[Series, Hashable]) -> None:
        self.log = log
        self._counted = states.counted
        self._marks = marks
        self._has_ended = all(states.statuses[run_id] in ENDED for run_id in log.run_ids)
        self._whole: set[Series] = set()
        self.changed = self._changed()

    @property
    def points(self) -> int:
        """Return the number of points of the log after the reading, as far as the store counts them."""
        counts = sum(mark for mark in self._marks.values() if isinstance(mark, int))
        return max(counts, self.log.size)

    @property
    def late(self) -> dict[Series, int | None]:
        """Return the changed series to read as a whole: they have fewer points than the store counted."""
        late: dict[Series, int | None] = {
            series: None
            for series, since in self.changed.items()
            if since is not None and self._is_short(series)
        }
        self._whole.update(late)
        return late

    def finish(self) -> None:
        """Note what was read, and wake the subscribers."""
        for series in self.changed:
            known, mark = self.log.find(series), self._marks[series]
            if known is None:
                continue
            known.mark = mark
            if isinstance(mark, int) and series in self._whole:
                known.surplus = max(0, mark - len(known))
        self.log.readings += 1
        self.log.change(loaded=True, complete=self._is_complete())

    def _changed(self) -> dict[Series, int | None]:
        is_whole = not self._counted and (self._has_ended or self.log.readings % _WHOLE_READINGS == 0)
        changed: dict[Series, int | None] = {}
        for series, mark in self._marks.items():
            known = self.log.find(series)
            if known is None or is_whole:
                changed[series] = None
                self._whole.add(series)
            elif known.mark != mark:
                changed[series] = known.last_timestamp
        return changed

    def _is_short(self, series: Series) -> bool:
        known, mark = self.log.find(series), self._marks[series]
        return isinstance(mark, int) and (known is None or len(known) + known.surplus < mark)

    def _is_complete(self) -> bool:
        """Return whether the runs had ended before all points that they had were read."""
        if not self._has_ended:
            return False
        if self._counted:
            return not any(map(self._is_short, self._marks))
        return self._whole >= self._marks.keys()
