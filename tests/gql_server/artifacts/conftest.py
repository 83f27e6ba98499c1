"""A run and a logged model with folders of their own for artifacts, served by an application."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.stores import Store


@dataclass(frozen=True)
class Holder:
    """Something that has artifacts: its id, its folder, and where the server has it."""

    id: str
    folder: Path
    route: str

    def write(self, path: str, content: bytes = b"content") -> str:
        """Write a file, and return the path of its URL."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return f"{self.route}/{path}"


@pytest.fixture
def run(sqlite_store: Store, tmp_path: Path) -> Holder:
    """Give a run with an empty folder of its own."""
    experiment = sqlite_store.client.create_experiment("held", (tmp_path / "kept" / "root").as_uri())
    info = sqlite_store.client.create_run(experiment).info
    folder = Path(info.artifact_uri.removeprefix("file://"))
    folder.mkdir(parents=True)
    return Holder(info.run_id, folder, f"/artifacts/{info.run_id}")


@pytest.fixture
def model(sqlite_store: Store, run: Holder) -> Holder:
    """Give a logged model with an empty folder of its own."""
    experiment = sqlite_store.client.get_run(run.id).info.experiment_id
    logged = sqlite_store.client.create_logged_model(experiment, "net", run.id)
    folder = Path(logged.artifact_location.removeprefix("file://"))
    folder.mkdir(parents=True)
    return Holder(logged.model_id, folder, f"/model-artifacts/{logged.model_id}")


@pytest.fixture
async def server(sqlite_store: Store) -> AsyncIterator[GraphQLClient]:
    """Give an application over the store, that keeps no answers."""
    async with graphql_client(sqlite_store.uri, cache_ended_seconds=0, cache_running_seconds=0) as served:
        yield served


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of the only error in a response, which has the shape of all errors."""
    (error,) = response.json()["errors"]
    assert error["message"]
    assert response.headers["content-type"].startswith("application/json")
    return response.status_code, error["extensions"]["code"]
