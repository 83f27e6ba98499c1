"""The end times of runs that were read."""

from gql_server.cache.finished_runs import FinishedRuns
from schema.ports.table import Table


def _runs(*rows: tuple[str, str, int | None]) -> Table:
    names = ("run_id", "status", "ended_at")
    return Table(len(rows), {name: [row[index] for row in rows] for index, name in enumerate(names)})


def test_end_time_needs_final_status_and_time() -> None:
    """A run has no end time without a final status, without a time, or if it has not been read."""
    runs = FinishedRuns()
    runs.record(_runs(("a", "FINISHED", 1), ("b", "KILLED", None), ("c", "RUNNING", 3), ("d", "FAILED", 4)))
    assert runs.end_times(["a", "b", "c", "d", "unread"]) == [1, None, None, 4, None]
    assert [runs.is_consistent("a", end) for end in (1, 2, None)] == [True, False, False]
    assert runs.is_consistent("unread", 5)


def test_least_recently_used_run_is_evicted() -> None:
    """Beyond the limit the runs that were neither recorded nor requested for the longest are evicted."""
    runs = FinishedRuns(max_runs=2)
    runs.record(_runs(("a", "FINISHED", 1), ("b", "FINISHED", 2)))
    runs.end_times(["a"])
    runs.record(_runs(("c", "FINISHED", 3)))
    assert runs.end_times(["a", "b", "c"]) == [1, None, 3]
