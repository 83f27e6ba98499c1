"""The least application gives the same responses over both databases. The quick run compares the server's."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.dataset import run_id
from benchmarks.process import least_app
from benchmarks.small_workloads import NAMES, small_workloads
from tests.benchmarks.conftest import SIZES

WORKLOADS = small_workloads(SIZES, [1, 2])


@contextmanager
def _least(database: Database, logs: Path) -> Iterator[Client]:
    with least_app(database.uri, logs) as served, closing(Client(served.port)) as client:
        yield client


@pytest.fixture(scope="module")
def over_sqlite(in_sqlite: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a client of the application over SQLite."""
    with _least(in_sqlite, tmp_path_factory.mktemp("sqlite")) as client:
        yield client


@pytest.fixture(scope="module")
def over_postgres(in_postgres: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a client of the application over Postgres."""
    with _least(in_postgres, tmp_path_factory.mktemp("postgres")) as client:
        yield client


def _data(client: Client, name: str, variation: int) -> Any:
    client.connect()
    return orjson.loads(client.hot(WORKLOADS[name][variation]))["data"]


def test_s1_is_one_run_with_its_values(over_sqlite: Client) -> None:
    """The run has all of its params and last metrics, sorted by key."""
    data = _data(over_sqlite, "S1", 1)
    run = data["run"]
    assert run["runId"] == run_id(1, 0)
    assert run["startedAt"] == "2023-11-14T22:13:20.000Z"
    assert [param["key"] for param in run["params"]] == ["param_00", "param_01"]
    assert [(metric["key"], metric["step"]) for metric in run["metrics"]] == [
        ("metric_00", 3),
        ("metric_01", 3),
    ]


def test_s2_has_the_newest_first(over_sqlite: Client) -> None:
    """The runs are those of one experiment, the newest first."""
    data = _data(over_sqlite, "S2", 0)
    nodes = data["runs"]["nodes"]
    assert [node["runId"] for node in nodes] == [run_id(0, number) for number in (2, 1, 0)]


def test_s3_samples_the_curves(over_sqlite: Client) -> None:
    """The table has null for what was not logged, and each curve 200 points with the first and the last."""
    data = _data(over_sqlite, "S3", 0)
    assert len(data["experiment"]["runs"]["nodes"]) == SIZES.dashboard_runs
    row = data["experiment"]["runs"]["nodes"][0]
    assert (row["lr"], row["seed"], row["auc"]) == ("0.124", None, None)
    (curve, *others) = data["runs"]["nodes"]
    assert len(others) == SIZES.dashboard_runs - 1
    steps = curve["metric"]["series"]["steps"]
    assert (len(steps), steps[0], steps[-1]) == (200, 0, SIZES.dashboard_points - 1)


@pytest.mark.parametrize("name", NAMES)
def test_responses_are_the_same_over_postgres(over_sqlite: Client, over_postgres: Client, name: str) -> None:
    """Each variation of a request has the same response over both databases."""
    for variation in range(len(WORKLOADS[name])):
        assert _data(over_postgres, name, variation) == _data(over_sqlite, name, variation)
