"""Walking flat rows: what is asked of the store, and in which parts."""

import pytest

from schema.exports.row_scan import RowSearch, ScanOptions, pair_rows, point_rows, run_rows, window
from schema.ports.errors import LimitExceeded
from tests.support.memory_tracking import MemoryTracking, Record

POINTS = 10


def _run(number: int) -> Record:
    points = [
        {"step": step, "timestamp": step, "value": float(step), "non_finite": None} for step in range(POINTS)
    ]
    metric = {"run_id": f"run{number}", "key": "loss", **points[-1], "points": points}
    return {
        "run_id": f"run{number}",
        "experiment_id": "1",
        "name": None,
        "status": "FINISHED",
        "lifecycle_stage": "ACTIVE",
        "user_id": None,
        "started_at": number,
        "ended_at": None,
        "params": [{"key": "lr", "value": str(number)}],
        "tags": [],
        "metrics": [metric, metric | {"key": "other"}],
    }


@pytest.fixture
def tracking() -> MemoryTracking:
    """Give a store of seven runs with two metrics of ten points each."""
    experiment = {"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "tags": []}
    return MemoryTracking([experiment | {"runs": [_run(number) for number in range(7)]}])


async def test_points_come_in_bounded_parts(tracking: MemoryTracking) -> None:
    """No part has more points than it may, whether metrics are shorter than that or longer."""
    for at_once in (3, POINTS, 25, 1000):
        walk = ScanOptions(runs_at_once=2, points_at_once=at_once)
        parts = [part async for part in point_rows(tracking, RowSearch(), walk)]
        assert max(part.size for part in parts) <= at_once
        rows = [
            row
            for part in parts
            for row in zip(part["run_id"], part["key"], part["step"], part["value"], strict=True)
        ]
        assert rows == [
            (f"run{run}", key, step, float(step))
            for run in range(7)
            for key in ("loss", "other")
            for step in range(POINTS)
        ]


@pytest.mark.parametrize("skip", [0, 1, 9, 10, 11, 25, 139, 140, 1000])
@pytest.mark.parametrize("at_once", [4, 10, 15])
async def test_points_are_skipped_unread(tracking: MemoryTracking, skip: int, at_once: int) -> None:
    """What lies before an offset is left out, and whole metrics of it are counted rather than read."""
    walk = ScanOptions(runs_at_once=3, points_at_once=at_once, skip=skip)
    rows = await window(point_rows(tracking, RowSearch(), walk), 0, 5)
    everything = await window(point_rows(tracking, RowSearch(), ScanOptions()), 0, 1000)
    names = ("run_id", "key", "step")
    for name in names:
        expected = everything[name][skip : skip + 5]
        assert (rows[name] if rows.size else []) == expected


async def test_calls_do_not_grow_with_runs(tracking: MemoryTracking) -> None:
    """A page takes one search and one call for what was logged, however many runs it goes over."""
    await window(pair_rows(tracking, RowSearch(), ScanOptions(), "params"), 0, 1000)
    assert tracking.calls == {"runs": 1, "params": 1}
    tracking.calls.clear()
    await window(run_rows(tracking, RowSearch(), ScanOptions()), 0, 1000)
    assert tracking.calls == {"runs": 1, "experiments_by_id": 1, "tags": 1}


async def test_only_what_is_wanted_is_asked(tracking: MemoryTracking) -> None:
    """Names of experiments and parents are looked up only for those who want them."""
    await window(run_rows(tracking, RowSearch(), ScanOptions(), ["run_id"]), 0, 1000)
    assert tracking.calls == {"runs": 1}


async def test_the_walk_is_bounded(tracking: MemoryTracking) -> None:
    """A page that lies behind more runs than one request may read is refused by a named bound."""
    walk = ScanOptions(runs_at_once=2, most_runs=4)
    assert (await window(run_rows(tracking, RowSearch(), walk, ["run_id"]), 2, 2)).size == 2
    with pytest.raises(LimitExceeded, match="GQL_MAX_SCANNED_RUNS"):
        await window(run_rows(tracking, RowSearch(), walk, ["run_id"]), 4, 1)
