"""The end times of runs, as far as they have been read."""

from collections.abc import Collection, Iterable
from typing import Any

from cachetools import LRUCache

from schema.ports.table import Table

END_COLUMNS = frozenset({"run_id", "status", "ended_at"})
"""The columns that `FinishedRuns.record` needs."""

_FINAL_STATUSES = frozenset({"FINISHED", "FAILED", "KILLED"})


def end_time(status: Any, ended_at: int | None) -> int | None:
    """Return a run's end time; None unless its status is final and its end time is set."""
    return ended_at if status in _FINAL_STATUSES else None


class FinishedRuns:
    """End times by run id, for the `max_runs` runs used last, at 250 bytes each.

    A run may be resumed. It then has no end time until it ends again, at another time. So the end time is
    part of the cache key of what was logged to a run, and a resumed run does not share entries with its past.
    """

    def __init__(self, *, max_runs: int = 50_000) -> None:
        self._end_times: LRUCache[str, int | None] = LRUCache(max_runs)

    def record(self, runs: Table) -> None:
        """Store the end times of these runs; the table has the columns `END_COLUMNS`."""
        if not runs.size:
            return
        for run_id, status, ended_at in zip(runs["run_id"], runs["status"], runs["ended_at"], strict=True):
            self._end_times[run_id] = end_time(status, ended_at)

    def end_times(self, run_ids: Collection[str]) -> list[int | None]:
        """Return each run's end time; None for runs that are active or have not been read."""
        return [self._end_times.get(run_id) for run_id in run_ids]

    def is_consistent(self, run_id: str, end: int | None) -> bool:
        """Return whether this end time is the last one read, or none has been read."""
        return run_id not in self._end_times or self._end_times[run_id] == end

    def discard(self, run_ids: Iterable[str]) -> None:
        """Remove the end times of these runs."""
        for run_id in run_ids:
            self._end_times.pop(run_id, None)
