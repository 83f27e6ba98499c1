"""Uploads of artifacts to a run."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx

from gql_server.artifacts.unfinished_file import UNFINISHED_PREFIX
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


def unfinished(folder: Path, pid: int) -> list[Path]:
    """Return the files of unfinished uploads below a folder, with those without a name of one process."""
    named = [*folder.rglob("upload-*/*"), *folder.rglob(f"{UNFINISHED_PREFIX}*")]
    return named + [path for path in _deleted_files(pid) if path.is_relative_to(folder)]


def _deleted_files(pid: int) -> list[Path]:
    files = []
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        with suppress(OSError):
            files.append(descriptor.readlink())
    return [file for file in files if file.name.endswith(" (deleted)")]


async def put(graphql: GraphQLClient, run: str, path: str, content: bytes = b"x") -> httpx.Response:
    """Upload a file."""
    # Dots are encoded, since the client would resolve them.
    encoded = quote(path).replace(".", "%2E")
    return await graphql.http.put(f"/artifacts/{quote(run)}/{encoded}", content=content)


def code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a response with one error."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]
