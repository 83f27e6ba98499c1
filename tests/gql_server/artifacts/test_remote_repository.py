"""Artifacts on an MLflow server, or in a repository that downloads files whole."""

import posixpath
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.app.artifact_owners import QUERY, UNCACHED, ArtifactOwner, status_and_code
from tests.support.app.cloud_repository import CloudRepository
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.file_limits import files_limited_to
from tests.support.stores.store import Store

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
async def proxied(server_store: Store, tmp_path: Path) -> AsyncIterator[tuple[GraphQLClient, ArtifactOwner]]:
    """Give a client of an application over an MLflow server, and a run with proxied artifacts."""
    experiment = server_store.client.create_experiment("proxied")
    run_id = server_store.client.create_run(experiment).info.run_id
    async with graphql_client(server_store.uri, **UNCACHED) as graphql:
        yield graphql, ArtifactOwner(run_id, tmp_path, f"/artifacts/{run_id}")


def _log(store: Store, run: ArtifactOwner, path: str, content: bytes) -> None:
    file = run.folder / posixpath.basename(path)
    file.write_bytes(content)
    store.client.log_artifact(run.id, str(file), posixpath.dirname(path) or None)


async def test_proxied_files_support_listing_ranges_and_head(
    server_store: Store, proxied: tuple[GraphQLClient, ArtifactOwner]
) -> None:
    """Artifacts of an MLflow server support listings, whole files, ranges, conditions and HEAD."""
    graphql, run = proxied
    _log(server_store, run, "plots/a b.png", CONTENT)
    _log(server_store, run, "x.txt", b"content")
    result = await graphql.data(QUERY, id=run.id)
    url = f"{run.route}/plots/a%20b.png"
    assert result["run"]["artifacts"] == [
        {
            "path": "plots",
            "isDir": True,
            "size": None,
            "downloadUrl": None,
            "children": [{"path": "plots/a b.png", "size": len(CONTENT), "downloadUrl": url}],
        },
        {
            "path": "x.txt",
            "isDir": False,
            "size": 7,
            "downloadUrl": f"{run.route}/x.txt",
            "children": None,
        },
    ]
    response = await graphql.http.get(url)
    assert (response.status_code, response.content, response.headers["content-type"]) == (
        200,
        CONTENT,
        "image/png",
    )
    assert response.headers["content-security-policy"].endswith("sandbox")
    assert response.headers["content-disposition"].startswith('attachment; filename="a b.png"')
    head = await graphql.http.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))
    part = await graphql.http.get(url, headers={"range": "bytes=10-19", "if-range": response.headers["etag"]})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(CONTENT)}"
    beyond = await graphql.http.get(url, headers={"range": "bytes=99999999-"})
    assert beyond.status_code == 416
    for missing in ("nothing.txt", "plots"):
        assert status_and_code(await graphql.http.get(f"{run.route}/{missing}")) == (404, "NOT_FOUND")
    assert (await graphql.data(QUERY, id=run.id, path="nothing"))["run"]["artifacts"] == []


async def test_proxied_artifacts_of_a_database_need_a_server_uri(
    server_store: Store, shared_mlflow_server: Any, proxied: tuple[GraphQLClient, ArtifactOwner]
) -> None:
    """With a database as store, proxied artifacts are read from GQL_ARTIFACTS_URI, and fail without it."""
    _, run = proxied
    _log(server_store, run, "x.txt", b"content")
    database = shared_mlflow_server.database_uri
    async with graphql_client(database, artifacts_uri=server_store.uri, **UNCACHED) as graphql:
        result = await graphql.data(QUERY, id=run.id)
        (file,) = result["run"]["artifacts"]
        assert (await graphql.http.get(file["downloadUrl"])).text == "content"
    async with graphql_client(database, **UNCACHED) as graphql:
        error = await graphql.error(QUERY, id=run.id)
        assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
        assert "GQL_ARTIFACTS_URI" in error["message"]
        assert status_and_code(await graphql.http.get(file["downloadUrl"])) == (501, "UNSUPPORTED_BY_STORE")


async def test_downloaded_files_are_sent_and_deleted(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """Files that MLflow downloads whole are listed and sent, and leave nothing on disk."""
    run, _ = remote
    url = run.write("plots/x.png", CONTENT)
    run.write("plots2/y.png")
    result = await graphql.data(QUERY, id=run.id, path="plots")
    assert [(entry["path"], entry["size"]) for entry in result["run"]["artifacts"]] == [
        ("plots/x.png", len(CONTENT))
    ]
    response = await graphql.http.get(url, headers={"range": "bytes=0-1"})
    assert (response.status_code, response.content) == (200, CONTENT)
    assert response.headers["accept-ranges"] == "none"
    head = await graphql.http.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
    for missing in ("plots", "nothing", "plots/x.png/y"):
        assert status_and_code(await graphql.http.get(f"{run.route}/{missing}")) == (404, "NOT_FOUND")


async def test_remote_name_that_no_path_may_have_has_no_link(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A name that would be refused in a path is listed without a link; other names have links that work."""
    run, _ = remote
    for name in ("a\\b", "%252525252525", "a%20b"):
        run.write(name, name.encode())
    result = await graphql.data(QUERY, id=run.id)
    entries = {entry["path"]: entry["downloadUrl"] for entry in result["run"]["artifacts"]}
    assert list(entries) == ["%252525252525", "a%20b", "a\\b"]
    assert entries.pop("%252525252525") is None
    for name, url in entries.items():
        assert (await graphql.http.get(url)).content == name.encode()


def _stored_folder(folder: Path, run: ArtifactOwner) -> Path:
    (root,) = folder.rglob(f"{run.id}/artifacts")
    return root


async def test_names_on_a_server_are_the_stored_ones(
    server_store: Store, shared_mlflow_server: Any, proxied: tuple[GraphQLClient, ArtifactOwner]
) -> None:
    """Over an MLflow server names are listed as stored. What the server cannot send has no link."""
    graphql, run = proxied
    _log(server_store, run, "folder/x.txt", b"content")
    root = _stored_folder(shared_mlflow_server.folder, run)
    sent = ["a b.txt", "a?b.txt", "a;b.txt", "a+b.txt", "back\\slash.txt", "100%.txt", "ü.txt"]
    not_sent = ["img%20x.png", "x%2Fy.txt", "a#b.png", "tab\t.txt"]
    for name in (*sent, *not_sent):
        (root / name).write_bytes(name.encode())
    (root / "d#e").mkdir()
    (root / "d#e" / "x.txt").write_bytes(b"")
    body = (await graphql.response(QUERY, id=run.id)).json()
    entries = {entry["path"]: entry for entry in body["data"]["run"]["artifacts"]}
    assert set(entries) == {*sent, *not_sent, "folder", "d#e"}
    for name in not_sent:
        assert entries[name]["downloadUrl"] is None
    for name in sent:
        response = await graphql.http.get(entries[name]["downloadUrl"])
        assert (response.status_code, response.content) == (200, name.encode()), name
    assert [child["path"] for child in entries["folder"]["children"]] == ["folder/x.txt"]
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
    assert error["path"][:2] == ["run", "artifacts"]
    refused = await graphql.error(QUERY, id=run.id, path="d#e")
    assert refused["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
    for name in not_sent:
        response = await graphql.http.get(f"{run.route}/{quote(name)}")
        assert status_and_code(response)[0] in {400, 404, 501}, name


async def test_file_of_unknown_size_is_sent(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A size of -1 is reported as null, and the file is sent."""
    run, repository = remote
    repository.sizes = False
    url = run.write("x.txt")
    result = await graphql.data(QUERY, id=run.id)
    assert [entry["size"] for entry in result["run"]["artifacts"]] == [None]
    response = await graphql.http.get(url)
    assert (response.status_code, response.text, response.headers["content-length"]) == (200, "content", "7")


async def test_file_that_was_not_downloaded_is_not_found(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A repository that returns a path without writing the file has no such file."""
    run, repository = remote
    repository.silent = True
    assert status_and_code(await graphql.http.get(run.write("x.txt"))) == (404, "NOT_FOUND")


async def test_full_disk_is_unavailable(
    graphql: GraphQLClient, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A file whose copy does not fit on this server's disk is unavailable, and can be had later."""
    run, _ = remote
    url = run.write("x.bin", CONTENT)
    with files_limited_to(100_000):
        response = await graphql.http.get(url)
    assert status_and_code(response) == (503, "STORE_UNAVAILABLE")
    assert "disk space" in response.text
    assert (await graphql.http.get(url)).content == CONTENT


async def test_file_larger_than_the_spool_is_refused(
    sqlite_store: Store, remote: tuple[ArtifactOwner, type[CloudRepository]]
) -> None:
    """A file larger than the spool is refused before it is downloaded; the error names the setting."""
    run, repository = remote
    url = run.write("x.txt", CONTENT)
    async with graphql_client(sqlite_store.uri, artifact_spool_bytes=len(CONTENT) - 1) as graphql:
        response = await graphql.http.get(url)
        assert status_and_code(response) == (413, "LIMIT_EXCEEDED")
        assert "GQL_ARTIFACT_SPOOL_BYTES" in response.text
    async with graphql_client(sqlite_store.uri, artifact_spool_bytes=len(CONTENT)) as graphql:
        repository.failure = None
        for _ in range(3):
            # Each download frees its space.
            assert (await graphql.http.get(url)).content == CONTENT
