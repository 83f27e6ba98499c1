"""Artifact URIs of every scheme, also those that are not valid, have a response with a code."""

from pathlib import Path

import pytest
from mlflow.store.artifact import artifact_repository_registry
from sqlalchemy import create_engine, text

from gql_server.artifacts.access_policy import AccessPolicy
from gql_server.artifacts.artifact_uri import artifact_scheme
from gql_server.artifacts.repositories import Repositories
from gql_server.config.settings import Settings
from schema.ports.errors import UnsupportedByStore
from tests.support.app.artifact_owners import QUERY, UNCACHED, status_and_code
from tests.support.app.graphql_client import graphql_client
from tests.support.app.uploads import code, put
from tests.support.stores.store import Store

REGISTRY = artifact_repository_registry._artifact_repository_registry  # noqa: SLF001 - it has no public list
SCHEMES = sorted({*REGISTRY._registry, "azureml"} - {"", "file"})  # noqa: SLF001
CLIENT_ERRORS = {"UNSUPPORTED_BY_STORE", "STORE_UNAVAILABLE", "FORBIDDEN"}
"""Of a scheme whose library is missing, whose host is missing, and without credentials."""


@pytest.fixture
def working_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder, in which MLflow creates its default store, and return it."""
    folder = tmp_path_factory.mktemp("working")
    monkeypatch.chdir(folder)
    return folder


def is_empty(folder: Path) -> bool:
    """Return whether a folder has no entries."""
    return not any(folder.iterdir())


def set_uri(store: Store, run_id: str, uri: str) -> None:
    """Store an artifact URI as another client may have, past the checks of MLflow."""
    engine = create_engine(store.uri)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE runs SET artifact_uri = :uri WHERE run_uuid = :run"), {"uri": uri, "run": run_id}
        )
    engine.dispose()


async def codes_of(store: Store, uri: str) -> set[str]:
    """Return the codes of a listing, a download and an upload of a run's artifacts."""
    run_id = store.client.create_run("0").info.run_id
    set_uri(store, run_id, uri)
    async with graphql_client(store.uri, writable=True, store_timeout=2, **UNCACHED) as graphql:
        error = await graphql.error(QUERY, id=run_id)
        downloaded = status_and_code(await graphql.http.get(f"/artifacts/{run_id}/x.txt"))
        uploaded = code(await put(graphql, run_id, "x.txt"))
    return {error["extensions"]["code"], downloaded[1], uploaded[1]}


@pytest.mark.parametrize("rest", ["://127.0.0.1:9/x", ":/x", ":"])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_scheme_without_its_library_is_not_supported(
    sqlite_store: Store, working_folder: Path, scheme: str, rest: str
) -> None:
    """No scheme that MLflow knows is an internal error, in listings, downloads and uploads."""
    codes = await codes_of(sqlite_store, f"{scheme}{rest}")
    assert codes <= CLIENT_ERRORS
    assert is_empty(working_folder)


@pytest.mark.parametrize(
    "uri",
    [
        *("/a\0b", "file:///a\0b", "file:///%00", "\0", "s3://b/a\0b", "s3://[x", "http://[::1", "//[x"),
        *("unheard-of://x", "b2://x/y", "databricks://x", "abfss://x", "mlflow-artifacts://[x"),
    ],
)
async def test_invalid_uri_is_not_supported(sqlite_store: Store, uri: str) -> None:
    """A URI that no library can open is UNSUPPORTED_BY_STORE, and no internal error."""
    assert await codes_of(sqlite_store, uri) == {"UNSUPPORTED_BY_STORE"}


def test_lone_surrogate_is_not_supported() -> None:
    """An MLflow server can send text that cannot be encoded."""
    with pytest.raises(UnsupportedByStore):
        artifact_scheme("s3://\ud800")


def test_scheme_is_in_lower_case() -> None:
    """A scheme is recognized in any case."""
    assert [artifact_scheme(uri) for uri in ("S3://b", "FILE:///x", "/x", "")] == ["s3", "file", "", ""]


@pytest.mark.parametrize("uri", ["azureml://attacker.example/x", "dbfs:/x", "AZUREML://attacker.example/x"])
def test_plugin_of_another_store_is_not_used(uri: str) -> None:
    """A plugin that sends its store's credentials to the host in a URI reads that store's artifacts only."""
    settings = Settings(tracking_uri="unused:")
    policy = AccessPolicy("sqlite:///x.db", "", "")
    with pytest.raises(UnsupportedByStore):
        Repositories(policy, settings.limits.artifacts, settings.azure_options, timeout=2).get(uri)
