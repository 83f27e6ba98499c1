"""The limit computes the results of the graph, on both databases."""

import math
from typing import Any

import orjson
import pytest

from benchmarks.databases import Database
from benchmarks.points import Points, sorted_by_time
from benchmarks.workload import workloads
from tests.benchmarks.conftest import SIZES

WORKLOADS = {workload.name: workload for workload in workloads(SIZES)}


def _result(database: Database, name: str, *, indexed: bool = False) -> Any:
    with database.limit(indexed=indexed) as limit:
        return orjson.loads(limit.run(WORKLOADS[name]))["data"]


def test_w1_returns_the_newest_first(in_sqlite: Database) -> None:
    """Experiments and runs have the order of the graph, and params and metrics are sorted by key."""
    nodes = _result(in_sqlite, "W1")["experiments"]["nodes"]
    assert [node["name"] for node in nodes] == ["bench-001", "bench-000"]
    runs = nodes[1]["runs"]["nodes"]
    assert [run["name"] for run in runs] == ["run-2", "run-1", "run-0"]
    assert runs[2]["startedAt"] == "2023-11-14T22:13:20.000Z"
    assert [param["key"] for param in runs[0]["params"]] == ["param_00", "param_01"]
    assert [metric["step"] for metric in runs[0]["metrics"]] == [3, 3]


def test_series_are_the_columns_of_the_histories(in_sqlite: Database) -> None:
    """Both forms of W2 have the same points, and W3 has those of one key."""
    whole, columns, part = (
        _result(in_sqlite, name)["experiment"]["runs"]["nodes"] for name in ("W2", "W2 as series", "W3")
    )
    for run, as_columns, one in zip(whole, columns, part, strict=True):
        history, series = run["metrics"][0]["history"], as_columns["metrics"][0]["series"]
        assert [point["value"] for point in history] == series["values"]
        assert [point["timestamp"] for point in history] == series["timestamps"]
        assert [point["step"] for point in history] == series["steps"] == [0, 1, 2, 3]
        assert math.isclose(history[0]["value"], 1 + int(run["runId"][:4], 16) / 65536 / 3)
        assert one == {"runId": run["runId"], "metric": {"history": history}}


@pytest.mark.parametrize("name", WORKLOADS)
def test_postgres_gives_the_same_results(in_sqlite: Database, in_postgres: Database, name: str) -> None:
    """The result does not depend on the statements of the database."""
    assert _result(in_postgres, name) == _result(in_sqlite, name)


@pytest.mark.parametrize("kind", ["in_sqlite", "in_postgres"])
def test_index_changes_no_result(kind: str, request: pytest.FixtureRequest) -> None:
    """With the index other statements return the same result; the index is dropped afterwards."""
    database: Database = request.getfixturevalue(kind)
    expected = _result(database, "W1")
    for _ in range(2):
        with database.with_index():
            assert _result(database, "W1", indexed=True) == expected


def test_points_of_equal_steps_are_sorted_by_time() -> None:
    """Points that are sorted by step alone are sorted by time within each step."""
    points = Points([("a", "k"), ("b", "k")], [1, 4], [1, 0, 0, 2], [9, 8, 7, 6], [0.1, 0.2, 0.3, 0.4])
    assert sorted_by_time(points).split(points.timestamps) == [[9], [7, 8, 6]]
    assert points.split(points.values) == [[0.1], [0.3, 0.2, 0.4]]
