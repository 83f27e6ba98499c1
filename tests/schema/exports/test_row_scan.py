"""Scans of flat rows: their rows, chunks, store calls and limits."""

from dataclasses import replace

import pytest

from schema.exports.row_scan import RowSearch, ScanOptions, key_value_rows, point_rows, read_window, run_rows
from schema.ports.errors import LimitExceeded
from tests.support.schema.memory_tracking import MemoryTracking, Record

POINTS = 10
OPTIONS = ScanOptions(max_conditions=500)


def _run(number: int) -> Record:
    points = [
        {"step": step, "timestamp": step, "value": float(step), "non_finite": None} for step in range(POINTS)
    ]
    metric = {"run_id": f"run{number}", "key": "loss", **points[-1], "points": points}
    return {
        "run_id": f"run{number}",
        "experiment_id": "1",
        "name": f"the run{number}",
        "status": "FINISHED",
        "lifecycle_stage": "ACTIVE",
        "user_id": None,
        "started_at": number,
        "ended_at": None,
        "artifact_uri": f"mlflow-artifacts:/{number}",
        "params": [{"key": "lr", "value": str(number)}],
        "tags": [],
        "metrics": [metric, metric | {"key": "other"}],
    }


@pytest.fixture
def tracking() -> MemoryTracking:
    """Return a store of seven runs with two metrics of ten points each."""
    experiment = {"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "tags": []}
    return MemoryTracking([experiment | {"runs": [_run(number) for number in range(7)]}])


async def test_chunks_have_at_most_points_per_chunk(tracking: MemoryTracking) -> None:
    """No chunk has more points than the limit, whether histories are shorter or longer than a chunk."""
    for points_per_chunk in (3, POINTS, 25, 1000):
        options = replace(OPTIONS, runs_per_chunk=2, points_per_chunk=points_per_chunk)
        chunks = [chunk async for chunk in point_rows(tracking, RowSearch(), options)]
        assert max(chunk.size for chunk in chunks) <= points_per_chunk
        rows = [
            row
            for chunk in chunks
            for row in zip(chunk["run_id"], chunk["key"], chunk["step"], chunk["value"], strict=True)
        ]
        assert rows == [
            (f"run{run}", key, step, float(step))
            for run in range(7)
            for key in ("loss", "other")
            for step in range(POINTS)
        ]


@pytest.mark.parametrize("skip", [0, 1, 9, 10, 11, 25, 139, 140, 1000])
@pytest.mark.parametrize("points_per_chunk", [4, 10, 15])
async def test_skipped_points_are_left_out(
    tracking: MemoryTracking, skip: int, points_per_chunk: int
) -> None:
    """The first `skip` points are omitted, for any size of a chunk."""
    options = replace(OPTIONS, runs_per_chunk=3, points_per_chunk=points_per_chunk, skip=skip)
    rows = await read_window(point_rows(tracking, RowSearch(), options), 0, 5)
    everything = await read_window(point_rows(tracking, RowSearch(), OPTIONS), 0, 1000)
    names = ("run_id", "key", "step")
    for name in names:
        expected = everything[name][skip : skip + 5]
        assert (rows[name] if rows.size else []) == expected


async def test_calls_do_not_depend_on_number_of_runs(tracking: MemoryTracking) -> None:
    """A chunk takes one search and one call for each kind of data, for any number of runs."""
    params = key_value_rows(tracking, RowSearch(), OPTIONS, kind="params")
    await read_window(params, 0, 1000)
    assert tracking.calls == {"runs": 1, "experiments_by_id": 1, "params": 1}
    tracking.calls.clear()
    await read_window(run_rows(tracking, RowSearch(), OPTIONS), 0, 1000)
    assert tracking.calls == {"runs": 1, "experiments_by_id": 1, "tags": 1}


async def test_only_requested_columns_are_read(tracking: MemoryTracking) -> None:
    """Names of experiments and ids of parents are read only if they are requested."""
    await read_window(run_rows(tracking, RowSearch(), OPTIONS, ["run_id"]), 0, 1000)
    assert tracking.calls == {"runs": 1}
    tracking.calls.clear()
    tags = key_value_rows(tracking, RowSearch(), OPTIONS, ["run_id", "run_name", "value"], kind="tags")
    await read_window(tags, 0, 1000)
    assert tracking.calls == {"runs": 1, "tags": 1}


async def test_rows_of_data_have_the_names_of_their_run(tracking: MemoryTracking) -> None:
    """Params, metrics and points have the names of their run and of its experiment, in each chunk."""
    options = replace(OPTIONS, runs_per_chunk=2, points_per_chunk=3)
    for rows in (
        key_value_rows(tracking, RowSearch(), options, kind="params"),
        key_value_rows(tracking, RowSearch(), options, kind="metrics"),
        point_rows(tracking, RowSearch(), options),
    ):
        window = await read_window(rows, 0, 1000)
        assert [f"{id_} {name}" for id_, name in zip(window["run_id"], window["run_name"], strict=True)] == [
            f"{id_} the {id_}" for id_ in window["run_id"]
        ]
        assert set(window["experiment_name"]) == {"one"}


async def test_scan_stops_at_max_runs(tracking: MemoryTracking) -> None:
    """A window beyond `max_runs` runs is refused, and the message names the setting."""
    options = replace(OPTIONS, runs_per_chunk=2, max_runs=4)
    assert (await read_window(run_rows(tracking, RowSearch(), options, ["run_id"]), 2, 2)).size == 2
    with pytest.raises(LimitExceeded, match="GQL_MAX_SCANNED_RUNS"):
        await read_window(run_rows(tracking, RowSearch(), options, ["run_id"]), 4, 1)
