"""New points of many runs are found and read in few statements."""

from collections.abc import Mapping

import pytest
from mlflow.entities import Metric

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.tracking import Series
from tests.support.stores.store import Store

_RUNS = 300


@pytest.fixture
def run_ids(database: Store) -> list[str]:
    """Log two points to each of many runs; return their ids."""
    run_ids = [database.client.create_run("0").info.run_id for _ in range(_RUNS)]
    for run_id in run_ids:
        database.client.log_batch(run_id, [Metric("m", 0.5, 10, 0), Metric("m", 0.7, 20, 1)])
    return run_ids


async def test_statements_do_not_depend_on_the_number_of_runs(
    tracking: SqlTracking, statements: list[str], run_ids: list[str]
) -> None:
    """Two statements find what is new in 300 runs, and two read it: each for up to 250 series."""
    await tracking.series_states(run_ids[:1], None)
    statements.clear()
    states = await tracking.series_states(run_ids, None)
    assert states.counted
    assert states.marks == {(run_id, "m"): 2 for run_id in run_ids}
    assert set(states.statuses.values()) == {"RUNNING"}
    assert len(statements) == 2
    statements.clear()
    since: Mapping[Series, int | None] = {(run_id, "m"): 20 for run_id in run_ids}
    points = await tracking.points_from(since)
    assert [stop - start for start, stop in points.spans] == [1] * _RUNS
    assert set(points.rows["value"]) == {0.7}
    assert len(statements) == 2


async def test_series_are_told_apart(tracking: SqlTracking, database: Store) -> None:
    """Each list has the points of its own run and key, from its own timestamp on."""
    first, second = (database.client.create_run("0").info.run_id for _ in range(2))
    for run_id in (first, second):
        for key in ("a", "b"):
            database.client.log_batch(
                run_id, [Metric(key, float(step), 10 * step, step) for step in range(4)]
            )
    since = {
        (second, "b"): 30,
        (first, "none"): None,
        (first, "b"): 10,
        (first, "a\x00"): 5,
        (second, "a"): None,
    }
    points = await tracking.points_from(since)
    steps = [sorted(points.rows["step"][start:stop]) for start, stop in points.spans]
    assert steps == [[3], [], [1, 2, 3], [], [0, 1, 2, 3]]
