"""Files and folders with any name: listed as stored, with links that work."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.app.artifact_owners import QUERY, UNCACHED, ArtifactOwner
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.name_strategies import IN_ONE_STORE, any_name
from tests.support.stores.store import Store

file_name = any_name.map(lambda name: name.replace("/", "-")).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) <= 200
)


@pytest.fixture(params=["local", "remote", "server"])
async def stored(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[GraphQLClient, str, Path]]:
    """Give a client, the id of a run, and the folder in which its artifacts are stored."""
    if request.param == "server":
        store: Store = request.getfixturevalue("server_store")
        server = request.getfixturevalue("shared_mlflow_server")
        run_id = store.client.create_run(store.client.create_experiment("any")).info.run_id
        (tmp_path / "first.txt").touch()
        store.client.log_artifact(run_id, str(tmp_path / "first.txt"))
        (folder,) = server.folder.rglob(f"{run_id}/artifacts")
    else:
        store = request.getfixturevalue("sqlite_store")
        is_remote = request.param == "remote"
        owner: ArtifactOwner = (
            request.getfixturevalue("remote")[0] if is_remote else (request.getfixturevalue("run"))
        )
        run_id, folder = owner.id, owner.folder
    async with graphql_client(store.uri, **UNCACHED) as graphql:
        yield graphql, run_id, folder


@settings(IN_ONE_STORE, max_examples=25)
@given(names=st.lists(file_name, min_size=1, max_size=5, unique=True))
async def test_listed_file_is_found(stored: tuple[GraphQLClient, str, Path], names: list[str]) -> None:
    """Each file is listed by its name; its link, if it has one, sends it, and a folder has its contents."""
    graphql, run_id, root = stored
    parent = Path(tempfile.mkdtemp(dir=root))
    for name in names:
        (parent / name).write_bytes(name.encode())
        (parent / f"in {name}").mkdir(exist_ok=True)
        (parent / f"in {name}" / name).write_bytes(name.encode())
    body = (await graphql.response(QUERY, id=run_id, path=parent.name)).json()
    artifacts: list[dict[str, Any]] = body["data"]["run"]["artifacts"]
    listed = {entry["path"].removeprefix(f"{parent.name}/"): entry for entry in artifacts}
    assert listed.keys() == {*names, *(f"in {name}" for name in names)}
    failed = {error["path"][2] for error in body.get("errors", ())}
    for index, entry in enumerate(artifacts):
        if entry["isDir"]:
            assert (entry["children"] is None) == (index in failed)
        files = entry["children"] or [] if entry["isDir"] else [entry]
        for file in files:
            name = file["path"].rpartition("/")[2]
            assert name in names
            if file["downloadUrl"] is not None:
                response = await graphql.http.get(file["downloadUrl"])
                assert (response.status_code, response.content) == (200, name.encode()), name
