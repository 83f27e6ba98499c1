"""A model registry in another store than the runs."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from gql_server.cli import CommandError
from gql_server.config.settings import Settings
from gql_server.stores.factory import store_from
from gql_server.stores.store_config_error import StoreConfigError
from tests.support.app.graphql_client import graphql_client
from tests.support.servers.server_process import run_command
from tests.support.stores.store import Store, copy_template

QUERY = """query ($id: ID!) {
  run(runId: $id) { modelVersions { name version run { name } } }
  registeredModels { totalCount nodes { name tags { key value }
    aliases { alias version } versions { nodes { version run { name } } } } }
  modelVersion(name: "net", alias: "best") { version }
}"""


@pytest.mark.parametrize("kind", ["sqlite", "file", "server"])
async def test_models_come_from_the_registry_store(
    kind: str,
    sqlite_store: Store,
    sqlite_template: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Models are read from the configured registry, and their runs from the tracking store if they exist."""
    registry_uri = (tmp_path / "registry").as_uri()
    if kind == "sqlite":
        registry_uri = copy_template(sqlite_template, tmp_path / "registry.db")
    elif kind == "server":
        registry_uri = request.getfixturevalue("server_store").uri
    run = sqlite_store.client.create_run("0", run_name="here").info
    elsewhere = MlflowClient(sqlite_store.uri, registry_uri)
    elsewhere.create_registered_model("net", tags={"t": "1"})
    store = elsewhere._get_registry_client().store  # noqa: SLF001 - the client would wait, and look for files
    store.create_model_version("net", "s3://bucket/net", run.run_id)
    store.create_model_version("net", "s3://bucket/net", "0" * 32)
    elsewhere.set_registered_model_alias("net", "best", "1")
    async with graphql_client(sqlite_store.uri, registry_uri=registry_uri) as graphql:
        data = await graphql.data(QUERY, id=run.run_id)
    version = {"name": "net", "version": "1", "run": {"name": "here"}}
    versions = [{"version": "2", "run": None}, {"version": "1", "run": {"name": "here"}}]
    assert data == {
        "run": {"modelVersions": [version]},
        "registeredModels": {
            "totalCount": 1,
            "nodes": [
                {
                    "name": "net",
                    "tags": [{"key": "t", "value": "1"}],
                    "aliases": [{"alias": "best", "version": "1"}],
                    "versions": {"nodes": versions},
                }
            ],
        },
        "modelVersion": {"version": "1"},
    }
    if engine := SqlAlchemyStore._engine_map.pop(registry_uri, None):  # noqa: SLF001 - there is no public way
        engine.dispose()


async def test_reading_creates_no_registry(file_store: Store) -> None:
    """A file store without registered models has none, and reading creates none."""
    folder = Path(file_store.uri.removeprefix("file://"))
    run_id = file_store.client.create_run("0").info.run_id
    async with graphql_client(file_store.uri) as graphql:
        data = await graphql.data(QUERY, id=run_id)
    assert data == {
        "run": {"modelVersions": []},
        "registeredModels": {"totalCount": 0, "nodes": []},
        "modelVersion": None,
    }
    assert not folder.joinpath("models").exists()


def test_unusable_registry_is_one_line_at_start(sqlite_store: Store, tmp_path: Path) -> None:
    """An error in the configuration of the registry is one line at start."""
    done = run_command(
        "serve",
        *("--tracking-uri", sqlite_store.uri, "--registry-uri", f"sqlite:///{tmp_path}/nothing.db"),
        *("--port", "0"),
    )
    assert done.returncode == CommandError.exit_code
    assert done.stderr.strip() == f"Error: sqlite:///{tmp_path}/nothing.db: there is no such file."


async def test_unknown_registry_uri_is_refused(sqlite_store: Store) -> None:
    """A URI that MLflow has no registry for is refused when it is opened."""
    store = store_from(Settings(tracking_uri=sqlite_store.uri, registry_uri="unheard-of://x"))
    with pytest.raises(StoreConfigError):
        await store.open()
    await store.close()
