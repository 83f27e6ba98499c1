"""The locations that the server reads artifacts from."""

import os
from pathlib import Path
from typing import Any

import pytest

from gql_server.artifacts.access_policy import AccessPolicy
from gql_server.artifacts.repositories import Repositories
from gql_server.config.azure import AzureSettings
from gql_server.config.settings import Settings
from schema.ports.errors import UnsupportedByStore
from tests.support.app.artifact_owners import QUERY, UNCACHED, ArtifactOwner, status_and_code
from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc",
        "/etc",
        "http://127.0.0.1:9/api/2.0/mlflow-artifacts/artifacts/x",
        "https://example.invalid/x",
        "mlflow-artifacts://example.invalid/x",
        "unheard-of://x/y",
    ],
)
async def test_location_outside_the_policy_is_not_read(
    server_store: Store, location: str, tmp_path: Path
) -> None:
    """A client that creates an experiment cannot read local files or have credentials sent by it."""
    experiment = server_store.client.create_experiment(f"to {location}", location)
    run_id = server_store.client.create_run(experiment).info.run_id
    async with graphql_client(server_store.uri, artifact_roots=str(tmp_path), **UNCACHED) as graphql:
        error = await graphql.error(QUERY, id=run_id)
        assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
        response = await graphql.http.get(f"/artifacts/{run_id}/passwd")
        assert status_and_code(response) == (501, "UNSUPPORTED_BY_STORE")
        assert "root:" not in response.text


@pytest.mark.parametrize("uri", ["runs:/0123456789abcdef0123456789abcdef/x", "models:/m-1", "models:/net/1"])
def test_uri_that_refers_to_another_is_refused(uri: str) -> None:
    """A URI that MLflow would resolve to another, which the access policy would not check, is refused."""
    limits = Settings(tracking_uri="unused:").limits.artifacts
    for tracking_uri in ("sqlite:///x.db", "http://127.0.0.1:9"):
        policy = AccessPolicy(tracking_uri, "", "")
        with pytest.raises(UnsupportedByStore):
            Repositories(policy, limits, AzureSettings().azure_options, timeout=30).get(uri)


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize(
    ("host", "served"),
    [
        *(("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("LOCALHOST", True)),
        *(("0.0.0.0", False), ("::", False), ("", False), ("192.0.2.1", False), ("gql.internal", False)),  # noqa: S104
    ],
)
async def test_listening_to_other_machines_needs_roots(
    sqlite_store: Store,
    run: ArtifactOwner,
    tmp_path: Path,
    host: str,
    served: bool,  # noqa: FBT001
    method: str,
) -> None:
    """If other machines can connect, they may write to the store too: folders are served below roots only."""
    url = run.write("x.txt")
    settings: Any = {"host": host, "writable": True, **UNCACHED}
    async with graphql_client(sqlite_store.uri, **settings) as graphql:
        response = await graphql.http.request(method, url)
        data = (await graphql.response(QUERY, id=run.id)).json()
    assert response.status_code == (200 if served else 501)
    assert ("GQL_ARTIFACT_ROOTS" in str(data)) is not served
    async with graphql_client(sqlite_store.uri, artifact_roots=str(tmp_path), **settings) as graphql:
        assert (await graphql.http.request(method, url)).status_code == 200


async def test_folders_are_read_only_below_roots(
    sqlite_store: Store, run: ArtifactOwner, tmp_path: Path
) -> None:
    """With roots, local folders are read only below one of them."""
    url = run.write("x.txt")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(run.folder)
    for roots, expected in (
        (str(tmp_path), 200),
        (f"{elsewhere}{os.pathsep}{run.folder.parent.parent.parent}", 200),
        (str(elsewhere), 501),
        (str(run.folder)[:-1], 501),
    ):
        async with graphql_client(sqlite_store.uri, artifact_roots=roots) as graphql:
            assert (await graphql.http.get(url)).status_code == expected, roots
