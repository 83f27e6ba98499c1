"""What an operation knows about the runs that it has read."""

from typing import Any

import pytest

from gql_server.cache.known_runs import KnownRuns, LastPoint
from schema.ports.table import Many, Table

METRIC = ("run_id", "key", "step", "timestamp", "value", "non_finite")


def _runs(*rows: tuple[str, str, int | None], **columns: Any) -> Table:
    names = ("run_id", "status", "ended_at")
    leaves = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    return Table(len(rows), leaves | columns)


def _metrics(*lists: list[tuple[Any, ...]]) -> Many:
    rows = [row for each in lists for row in each]
    columns = {name: [row[index] for row in rows] for index, name in enumerate(METRIC)}
    stops = [sum(map(len, lists[: index + 1])) for index in range(len(lists))]
    return Many(Table(len(rows), columns), list(zip([0, *stops], stops, strict=False)))


async def test_finished_run_has_final_status_and_end_time() -> None:
    """A run has finished if it was read with a final status and an end time."""
    runs = KnownRuns()
    await runs.add(
        _runs(("a", "FINISHED", 1), ("b", "KILLED", None), ("c", "RUNNING", 3), ("d", "FAILED", 4))
    )
    assert [each for each in ("a", "b", "c", "d", "unread") if runs.is_finished(each)] == ["a", "d"]


async def test_last_points_come_from_runs_and_from_metrics() -> None:
    """The last point is known from the metrics of a run, and the last one read is returned."""
    runs = KnownRuns()
    series = [("a", "m"), ("a", "n"), ("b", "m")]
    await runs.add(_runs(("a", "RUNNING", None), metrics=_metrics([("a", "m", 1, 2, 0.5, None)])))
    assert runs.last_points(series) == [LastPoint(1, 2, 0.5, None), None, None]
    runs.add_metrics(_metrics([("a", "m", 2, 3, 0.6, None)], [], [("b", "m", 0, 0, None, "NAN")]))
    assert runs.last_points(series) == [LastPoint(2, 3, 0.6, None), None, LastPoint(0, 0, None, "NAN")]


@pytest.mark.parametrize(
    ("changed", "agrees"),
    [
        (_runs(("b", "FAILED", 4)), True),
        (_runs(("a", "RUNNING", None), user_id=["u"]), True),
        (_runs(("a", "FINISHED", None)), False),
        (_runs(("a", "RUNNING", None), metrics=_metrics([("a", "m", 1, 2, 0.5, None)])), True),
        (_runs(("a", "RUNNING", None), metrics=_metrics([("a", "m", 1, 2, 0.6, None)])), False),
        (_runs(("a", "RUNNING", None), metrics=_metrics([])), False),
    ],
)
async def test_different_states_of_a_run_are_noticed(changed: Table, *, agrees: bool) -> None:
    """Two tables agree if their common runs are equal in the columns that both have."""
    runs = KnownRuns()
    metrics = _metrics([("a", "m", 1, 2, 0.5, None)])
    assert await runs.add(_runs(("a", "RUNNING", None), metrics=metrics))
    assert await runs.add(changed) is agrees
