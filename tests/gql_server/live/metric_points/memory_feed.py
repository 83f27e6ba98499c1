"""A store of points in memory, with what each kind of store offers to find new ones."""

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from schema.ports.errors import PublicError
from schema.ports.non_finite import split_value
from schema.ports.point_feed import PointFeed, SeriesStates
from schema.ports.table import Column, Many, Table
from schema.ports.tracking import Series

StoredPoint: TypeAlias = tuple[int, int, float]
"""The step, the timestamp and the value."""


@dataclass
class MemoryFeed(PointFeed):
    """Counts its points as a database does, or knows the last ones only, as an MLflow server does."""

    counted: bool = True
    statuses: dict[str, str] = field(default_factory=dict)
    points: dict[Series, dict[Hashable, StoredPoint]] = field(default_factory=dict)
    error: PublicError | None = None
    calls: list[str] = field(default_factory=list)

    def log(self, series: Series, *points: StoredPoint) -> None:
        """Store points; equal ones are one."""
        self.statuses.setdefault(series[0], "RUNNING")
        for point in points:
            self.points.setdefault(series, {})[identity(point)] = point

    def end(self) -> None:
        """End all runs."""
        self.statuses = dict.fromkeys(self.statuses, "FINISHED")

    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        """Return the statuses and marks."""
        self.calls.append("series_states")
        if self.error is not None:
            raise self.error
        statuses = {run_id: self.statuses[run_id] for run_id in run_ids if run_id in self.statuses}
        marks = {
            series: len(points) if self.counted else max(points, key=repr)
            for series, points in self.points.items()
            if series[0] in statuses and (keys is None or series[1] in keys)
        }
        return SeriesStates(statuses, marks, counted=self.counted)

    async def points_from(self, series: Mapping[Series, int | None]) -> Many:
        """Return the points from the timestamps on, or whole series if the store does not count."""
        self.calls.append("points_from")
        rows: list[StoredPoint] = []
        spans = []
        for one, since in series.items():
            start = len(rows)
            points = self.points.get(one, {}).values()
            rows += [point for point in points if not self.counted or since is None or point[1] >= since]
            spans.append((start, len(rows)))
        values = [split_value(value, largest_is_infinite=False) for _, _, value in rows]
        columns: dict[str, Column] = {
            "step": [step for step, _, _ in rows],
            "timestamp": [timestamp for _, timestamp, _ in rows],
            "value": [value for value, _ in values],
            "non_finite": [name for _, name in values],
        }
        return Many(Table(len(rows), columns), spans)


def identity(point: StoredPoint) -> Hashable:
    """Return what makes a point differ from others, as in the primary key of a database."""
    step, timestamp, value = point
    return step, timestamp, "nan" if math.isnan(value) else value + 0.0
