"""The part of the tracking port that finds new points of metrics: a store has no feed of changes to read.

A store keeps no order of insertion, and a point can arrive with any step and timestamp. What changes with
every new point is the number of points of its series, so `series_states` returns one mark for each series,
and `points_from` reads the series whose marks changed.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schema.ports.table import Many


@dataclass(frozen=True, slots=True)
class SeriesStates:
    """The state of runs and of their series (run id and metric key).

    `statuses` has the status of each run that exists. `marks` has each series that has points. If `counted`,
    a mark is the number of points, which changes with every new point. If not, a mark changes with the last
    point of the metric only, and a point with an older step is found by reading the whole series.
    """

    statuses: Mapping[str, str]
    marks: Mapping[tuple[str, str], Hashable]
    counted: bool


class PointFeed(Protocol):
    """Finds and reads new points of many series at a time."""

    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        """Return the states of runs, active or deleted, and of their series; None selects all keys.

        The statuses are read before the marks: if a run has ended, the marks cover what was logged before.
        """
        ...

    async def points_from(self, series: Mapping[tuple[str, str], int | None]) -> Many:
        """Return at least the points of each series whose timestamp is not less than the given one.

        None selects all points. The lists are in the order of the mapping; the points of a list have no
        order, and equal points may be repeated. The columns are step, timestamp, value and non_finite. Raise
        `LimitExceeded` if the store limits the points of one call and there are more.
        """
        ...
