"""Uploads of artifacts to a run."""

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx

from tests.support.app.graphql_client import GraphQLClient
from tests.support.stores.store import Store


def new_run(store: Store, folder: Path) -> str:
    """Return a run with artifacts in a folder of the test, if the store allows to choose the location."""
    local = (folder / "artifacts of runs").as_uri()
    location = None if store.name == "server" else local
    experiment = store.client.create_experiment("of uploads", artifact_location=location)
    return str(store.client.create_run(experiment).info.run_id)


def root_of(store: Store, run: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(unquote(urlsplit(store.client.get_run(run).info.artifact_uri).path))


async def put(graphql: GraphQLClient, run: str, path: str, content: bytes = b"x") -> httpx.Response:
    """Upload a file."""
    # Dots are encoded, since the client would resolve them.
    encoded = quote(path).replace(".", "%2E")
    return await graphql.http.put(f"/artifacts/{quote(run)}/{encoded}", content=content)


def code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a response with one error."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]
