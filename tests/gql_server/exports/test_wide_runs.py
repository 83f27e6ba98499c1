"""What a wide table reads from the store."""

from typing import Any

import pytest

from gql_server.exports.wide_runs import wide_layout, wide_rows
from schema.exports.row_scan import RowSearch, ScanOptions
from schema.ports.columns import Columns
from schema.ports.condition import PARENT_TAG
from schema.ports.table import Table
from tests.gql_server.exports.test_streamed_exports import run_record
from tests.support.schema.memory_tracking import MemoryTracking

OPTIONS = ScanOptions(max_conditions=500, runs_per_chunk=2)


@pytest.fixture
def tracking() -> MemoryTracking:
    """Give a store with three runs, each with four tags."""
    runs = [run_record(number, "x") for number in range(3)]
    experiment = {"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "runs": runs}
    return MemoryTracking([experiment], include_related=True)


async def read(tracking: MemoryTracking, *names: str) -> list[Table]:
    """Return the chunks of a wide table with these columns."""
    layout = await wide_layout(tracking, RowSearch(), OPTIONS, names, 5)
    return [chunk async for chunk in wide_rows(tracking, RowSearch(), OPTIONS, layout)]


def columns_of_pages(tracking: MemoryTracking) -> list[Any]:
    """Return the columns that each search of runs requested."""
    return [request[-1].columns for request in tracking.requests if request[0] == "runs"]


async def test_only_chosen_keys_are_read(tracking: MemoryTracking) -> None:
    """Columns that are chosen by name need no scan for keys, and no other keys are read."""
    first, last = await read(tracking, "tags.t1", "params.a", "run_name", "parent_run_id")
    assert (first["tags.t1"], last["params.a"]) == (["x", "x"], [None])
    expected = Columns(
        {"run_id", "name", "tags", "params"},
        {"tags": frozenset({"t1", PARENT_TAG}), "params": frozenset({"a"})},
    )
    assert columns_of_pages(tracking) == [expected] * 2
    assert tracking.calls == {"runs": 2}


async def test_only_kinds_of_all_keys_are_scanned(tracking: MemoryTracking) -> None:
    """All keys of a kind need a scan for the keys of this kind alone."""
    chunks = await read(tracking, "tags.*", "params.a", "parent_run_id")
    assert list(chunks[0].columns) == ["parent_run_id", *(f"tags.t{n}" for n in range(4)), "params.a"]
    scanned, read_columns = columns_of_pages(tracking)[0], columns_of_pages(tracking)[-1]
    assert scanned == {"run_id", "tags"}
    assert read_columns == Columns({"run_id", "tags", "params"}, {"params": frozenset({"a"})})
    assert tracking.calls == {"runs": 4}
