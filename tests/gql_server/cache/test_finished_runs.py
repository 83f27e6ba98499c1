"""The end times of runs that were read."""

from gql_server.cache.finished_runs import FinishedRuns
from schema.ports.table import Table


def _runs(*rows: tuple[str, str, int | None]) -> Table:
    names = ("run_id", "status", "ended_at")
    return Table(len(rows), {name: [row[place] for row in rows] for place, name in enumerate(names)})


def test_a_run_has_ended_if_the_store_says_so_and_when() -> None:
    """A final status without a time, a time without a final status, and a run not seen are no end."""
    ended = FinishedRuns()
    ended.learn(_runs(("a", "FINISHED", 1), ("b", "KILLED", None), ("c", "RUNNING", 3), ("d", "FAILED", 4)))
    assert ended.ends(["a", "b", "c", "d", "unseen"]) == [1, None, None, 4, None]
    assert [ended.agrees("a", end) for end in (1, 2, None)] == [True, False, False]
    assert ended.agrees("unseen", 5)


def test_what_is_known_of_runs_is_bounded() -> None:
    """The runs that were neither seen nor asked for the longest are forgotten first."""
    ended = FinishedRuns(most=2)
    ended.learn(_runs(("a", "FINISHED", 1), ("b", "FINISHED", 2)))
    ended.ends(["a"])
    ended.learn(_runs(("c", "FINISHED", 3)))
    assert ended.ends(["a", "b", "c"]) == [1, None, 3]
