"""PostGraphile from the lock, over the data set."""

from contextlib import closing
from pathlib import Path

import orjson
import pytest

from benchmarks.client import Client
from benchmarks.databases import Database
from benchmarks.postgraphile import installation
from benchmarks.postgraphile.documents import LARGE
from benchmarks.postgraphile.installation import UnavailableError, install, postgraphile
from benchmarks.postgraphile.results import check_postgraphile
from benchmarks.process import least_app
from benchmarks.small_workloads import small_workloads
from benchmarks.workload import workloads
from tests.benchmarks.conftest import SIZES
from tests.support.requirements import skip_or_fail
from tests.upstream.environments import ENVIRONMENTS


def test_has_the_data_of_the_workloads(in_postgres: Database, tmp_path: Path) -> None:
    """W1 to W3 and S1 to S3 return the data that the limits return."""
    try:
        node = install(ENVIRONMENTS)
    except UnavailableError as error:
        skip_or_fail("PostGraphile", error)
    with (
        postgraphile(node, in_postgres.uri, tmp_path) as served,
        closing(Client(served.port)) as client,
        least_app(in_postgres.uri, tmp_path) as least,
        closing(Client(least.port)) as least_client,
        in_postgres.limit() as limit,
    ):
        for workload in workloads(SIZES):
            if workload.name in LARGE:
                check_postgraphile(workload, client, orjson.loads(limit.run(workload))["data"])
        for variations in small_workloads(SIZES, [1, 2]).values():
            expected = orjson.loads(least_client.hot(variations[0]))
            check_postgraphile(variations[0], client, expected["data"])


def test_is_unavailable_without_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without node and npm the error says so, and nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="node and npm are not on PATH"):
        install(tmp_path)
    assert not list(tmp_path.iterdir())


def test_lock_names_no_registry() -> None:
    """The packages come from the registry that npm is configured with."""
    lock = (Path(installation.__file__).parent / "package-lock.json").read_text()
    assert '"resolved"' not in lock
