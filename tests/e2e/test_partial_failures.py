"""What cannot be read is null, with an error at its path, and does not take its neighbours along."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.servers.scripted_server import never_respond, scripted_server
from tests.support.stores.store import Store

ARTIFACTS = "{ runs(orderBy: [{attribute: NAME}]) { nodes { name artifacts { path } } } }"


def _run_with_file(store: Store, tmp_path: Path, name: str) -> str:
    """Start a run with one artifact in a folder of this machine, and return its experiment."""
    experiment = store.client.create_experiment(name, (tmp_path / name).as_uri())
    run = store.client.create_run(experiment, run_name=name)
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    folder.mkdir(parents=True)
    (folder / "x.txt").touch()
    return experiment


def _run_elsewhere(store: Store, name: str, location: str) -> None:
    store.client.create_run(store.client.create_experiment(name, location), run_name=name)


async def _body(graphql: GraphQLClient, query: str) -> Any:
    return (await graphql.response(query)).json()


@pytest.mark.parametrize("location", ["s3://bucket/x", "hdfs://host/x", "unknown://x"])
@pytest.mark.parametrize("cache", [{}, UNCACHED], ids=["cached", "uncached"])
async def test_artifacts_that_cannot_be_read_are_null(
    sqlite_store: Store, tmp_path: Path, location: str, cache: dict[str, Any]
) -> None:
    """Artifacts in a storage whose library is missing are null; those of other runs are listed."""
    _run_with_file(sqlite_store, tmp_path, "a")
    _run_elsewhere(sqlite_store, "b", location)
    async with graphql_client(sqlite_store.uri, **cache) as graphql:
        for _ in range(2):
            body = await _body(graphql, ARTIFACTS)
            assert body["data"]["runs"]["nodes"] == [
                {"name": "a", "artifacts": [{"path": "x.txt"}]},
                {"name": "b", "artifacts": None},
            ]
            (error,) = body["errors"]
            assert error["path"] == ["runs", "nodes", 1, "artifacts"]
            assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"


async def test_storage_that_does_not_respond_leaves_the_others(sqlite_store: Store, tmp_path: Path) -> None:
    """Artifacts in a storage that does not respond are STORE_TIMEOUT; those of other runs are listed."""
    _run_with_file(sqlite_store, tmp_path, "a")
    _run_elsewhere(sqlite_store, "b", "mlflow-artifacts:/b")
    async with (
        scripted_server([never_respond]) as uri,
        graphql_client(sqlite_store.uri, artifacts_uri=uri, store_timeout=1.0) as graphql,
    ):
        body = await _body(graphql, ARTIFACTS)
    assert body["data"]["runs"]["nodes"] == [
        {"name": "a", "artifacts": [{"path": "x.txt"}]},
        {"name": "b", "artifacts": None},
    ]
    assert [error["extensions"]["code"] for error in body["errors"]] == ["STORE_TIMEOUT"]


async def test_registry_that_is_down_leaves_the_runs(sqlite_store: Store) -> None:
    """The model versions of runs are null if the registry is another store that is down."""
    sqlite_store.client.create_run("0", run_name="a")
    sqlite_store.client.create_run("0", run_name="b")
    async with graphql_client(sqlite_store.uri, registry_uri="http://127.0.0.1:1") as graphql:
        body = await _body(
            graphql, "{ runs(orderBy: [{attribute: NAME}]) { nodes { name modelVersions { version } } } }"
        )
    assert body["data"]["runs"]["nodes"] == [
        {"name": "a", "modelVersions": None},
        {"name": "b", "modelVersions": None},
    ]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"STORE_UNAVAILABLE"}


@pytest.mark.parametrize("cache", [{}, UNCACHED], ids=["cached", "uncached"])
async def test_keys_beyond_the_limit_leave_other_experiments(store: Store, cache: dict[str, Any]) -> None:
    """The keys of an experiment are null if there are more than the limit; those of others are returned."""
    for name, keys in (("two", ["a", "b"]), ("three", ["a", "b", "c"]), ("none", [])):
        run_id = store.client.create_run(store.client.create_experiment(name)).info.run_id
        for key in keys:
            store.client.log_metric(run_id, key, 1.0)
    query = "{ experiments(orderBy: [{attribute: NAME}]) { nodes { name metricKeys paramKeys } } }"
    async with graphql_client(store.uri, max_groups=2, **cache) as graphql:
        for _ in range(2):
            body = await _body(graphql, query)
            assert {each["name"]: each["metricKeys"] for each in body["data"]["experiments"]["nodes"]} == {
                "Default": [],
                "none": [],
                "three": None,
                "two": ["a", "b"],
            }
            assert [each["paramKeys"] for each in body["data"]["experiments"]["nodes"]] == [[]] * 4
            (error,) = body["errors"]
            assert error["path"] == ["experiments", "nodes", 2, "metricKeys"]
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
