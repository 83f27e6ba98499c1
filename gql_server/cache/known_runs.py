"""What one operation has read about runs so far."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gql_server.runtime.cooperative import CooperativeLoop
from schema.ports.table import Column, Many, Table, value_at
from schema.ports.tracking import Series

END_COLUMNS = frozenset({"run_id", "status", "ended_at"})
"""The columns that tables of runs need here."""

_COMPARED_COLUMNS = ("name", "status", "lifecycle_stage", "ended_at", "params", "tags", "metrics")
"""The columns that can change, and that a search and a lookup return alike."""

_FINAL_STATUSES = frozenset({"FINISHED", "FAILED", "KILLED"})


class LastPoint(NamedTuple):
    """The last point of a metric, as the run had it."""

    step: int
    timestamp: int
    value: float | None
    non_finite: str | None


class KnownRuns:
    """The runs that an operation has read, for what it reads about them later."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Table, int]] = {}
        self._last_points: dict[Series, LastPoint] = {}
        self._unindexed: list[Table] = []

    async def add(self, runs: Table) -> bool:
        """Add a table of runs; return whether it agrees with what was read about the same runs before."""
        agrees = True
        metrics = runs.columns.get("metrics")
        if isinstance(metrics, Many):
            self.add_metrics(metrics)
        loop = CooperativeLoop()
        for index, run_id in enumerate(runs["run_id"] if runs.size else ()):
            former = self._rows.get(run_id)
            agrees = agrees and (former is None or _is_equal(*former, runs, index))
            self._rows[run_id] = (runs, index)
            await loop.checkpoint()
        return agrees

    def add_metrics(self, metrics: Many) -> None:
        """Add the last points of runs."""
        self._unindexed.append(metrics.rows)

    def is_finished(self, run_id: str) -> bool:
        """Return whether the run was read, has a final status and has an end time."""
        table, index = self._rows.get(run_id, (None, 0))
        return (
            table is not None
            and table["status"][index] in _FINAL_STATUSES
            and table["ended_at"][index] is not None
        )

    def last_points(self, series: Iterable[Series]) -> list[LastPoint | None]:
        """Return the last point of each series; None if the operation has not read it."""
        # Most operations read no history, so that the points are indexed for the first one.
        while self._unindexed:
            self._last_points |= _points_by_series(self._unindexed.pop(0))
        return [self._last_points.get(each) for each in series]


def _points_by_series(metrics: Table) -> dict[Series, LastPoint]:
    if not metrics.size:
        return {}
    series = zip(metrics["run_id"], metrics["key"], strict=True)
    points = map(LastPoint, metrics["step"], metrics["timestamp"], metrics["value"], metrics["non_finite"])
    return dict(zip(series, points, strict=True))


def _is_equal(table: Table, index: int, other: Table, other_index: int) -> bool:
    """Return whether two rows are equal in the compared columns that both tables have."""
    names = (name for name in _COMPARED_COLUMNS if name in table.columns and name in other.columns)
    return all(
        _value(table.columns[name], index) == _value(other.columns[name], other_index) for name in names
    )


def _value(column: Column, index: int) -> Any:
    if not isinstance(column, Many):
        return value_at(column, index)
    start, stop = column.spans[index]
    return {name: list(values[start:stop]) for name, values in column.rows.columns.items()}  # type: ignore[index]
