"""A run and a logged model with local artifact folders, as fixtures, and an application that serves them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.stores.store import Store

QUERY = """query ($id: ID!, $path: String) { run(runId: $id) {
  artifacts(path: $path) { path isDir size downloadUrl children { path size downloadUrl } } } }"""
UNCACHED = {"cache_ended_seconds": 0, "cache_running_seconds": 0}


@dataclass(frozen=True)
class ArtifactOwner:
    """A run or a logged model: its id, its artifact folder, and the server's route to its artifacts."""

    id: str
    folder: Path
    route: str

    def write(self, path: str, content: bytes = b"content") -> str:
        """Write a file, and return the path of its URL."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return f"{self.route}/{path}"


@pytest.fixture
def run(sqlite_store: Store, tmp_path: Path) -> ArtifactOwner:
    """Return a run with an empty artifact folder."""
    experiment = sqlite_store.client.create_experiment(
        "experiment", (tmp_path / "artifacts" / "root").as_uri()
    )
    info = sqlite_store.client.create_run(experiment).info
    folder = Path(info.artifact_uri.removeprefix("file://"))
    folder.mkdir(parents=True)
    return ArtifactOwner(info.run_id, folder, f"/artifacts/{info.run_id}")


@pytest.fixture
def model(sqlite_store: Store, run: ArtifactOwner) -> ArtifactOwner:
    """Return a logged model with an empty artifact folder."""
    experiment = sqlite_store.client.get_run(run.id).info.experiment_id
    logged = sqlite_store.client.create_logged_model(experiment, "net", run.id)
    folder = Path(logged.artifact_location.removeprefix("file://"))
    folder.mkdir(parents=True)
    return ArtifactOwner(logged.model_id, folder, f"/model-artifacts/{logged.model_id}")


@pytest.fixture
async def graphql(sqlite_store: Store) -> AsyncIterator[GraphQLClient]:
    """Yield a client of an application over the store, without caching."""
    async with graphql_client(sqlite_store.uri, **UNCACHED) as graphql:
        yield graphql


def status_and_code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a response with one error, and check that it has the common form."""
    (error,) = response.json()["errors"]
    assert error["message"]
    assert response.headers["content-type"].startswith("application/json")
    return response.status_code, error["extensions"]["code"]
