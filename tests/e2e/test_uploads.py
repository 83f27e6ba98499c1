"""Uploads of artifacts: complete or absent, limited, and only into the folder of the run."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from mlflow.artifacts import download_artifacts

from gql_server.artifacts.unfinished_file import UNFINISHED_PREFIX
from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.app.uploads import code, new_run, put, root_of
from tests.support.stores.store import Store

ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def graphql(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server that writes to the store."""
    async with graphql_client(store.uri, writable=True, max_upload_bytes=3_000_000) as graphql:
        yield graphql


def content_of(path: Path) -> bytes:
    """Return the content of a file."""
    return path.read_bytes()


def files_in(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that match; none if the folder does not exist."""
    return list(folder.rglob(pattern))


async def test_uploaded_file_is_stored(
    store: Store, graphql: GraphQLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of any name and size are stored unchanged, in folders that are created; Azure ML refuses them."""
    run = new_run(store, tmp_path)
    if store.kind is StoreKind.AZURE_ML:
        # The plugin silently writes nothing if it does not have the address of a file.
        assert code(await put(graphql, run, "model.bin")) == (501, "UNSUPPORTED_BY_STORE")
        return
    files = {
        "model.bin": os.urandom(2_500_000),
        "plots/val/loss ü 100%.png": b"png",
        "empty": b"",
    }
    for path, content in files.items():
        response = await put(graphql, run, path, content)
        assert response.status_code == 201, response.text
        assert response.json() == {"path": path, "size": len(content)}
    if store.name != "server":
        assert (await put(graphql, run, "empty", b"not any more")).status_code == 200
        files["empty"] = b"not any more"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    listed = store.client.list_artifacts(run)
    assert [(entry.path, entry.file_size or 0) for entry in listed if not entry.is_dir] == [
        ("empty", len(files["empty"])),
        ("model.bin", 2_500_000),
    ]
    for path, content in files.items():
        local = download_artifacts(
            run_id=run, artifact_path=path, dst_path=str(tmp_path), tracking_uri=store.uri
        )
        assert content_of(Path(local)) == content


async def test_difficult_name_is_stored_or_refused(
    store: Store, graphql: GraphQLClient, tmp_path: Path
) -> None:
    """A name that is difficult to send is stored exactly or refused, and never replaces another file."""
    run = new_run(store, tmp_path)
    if store.kind is StoreKind.AZURE_ML:
        assert code(await put(graphql, run, "z.txt?v=2")) == (501, "UNSUPPORTED_BY_STORE")
        return
    expected = {"z.txt": b"z", "d/b.txt": b"b", "p q": b"pq", "h.txt": b"h"}
    for path, content in expected.items():
        assert (await put(graphql, run, path, content)).status_code == 201
    hard = ("z.txt?v=2", "z.txt#v", "d%2Fb.txt", "p%20q", "h.txt;", "h.txt?", "new\nline")
    for path in (*hard, "a;b", "50% off", "ü"):
        response = await put(graphql, run, path, path.encode())
        if response.status_code == 201:
            expected[path] = path.encode()
        else:
            assert code(response) == (400, "BAD_USER_INPUT"), response.text
    assert {"a;b", "50% off", "ü"} < expected.keys()
    assert (store.name == "server") == ("z.txt#v" not in expected)
    for path, content in expected.items():
        # Not from a listing of the run: MLflow's client cannot request some of these names.
        assert (await graphql.http.get(f"/artifacts/{run}/{quote(path)}")).content == content


async def test_path_out_of_the_run_is_refused(store: Store, graphql: GraphQLClient, tmp_path: Path) -> None:
    """A path that leads, or could be decoded to lead, out of the run's folder is refused on every store."""
    run = new_run(store, tmp_path)
    for path in (
        "../out",
        "a/../../out",
        "%2e%2e/out",
        "/etc/out",
        "a//b",
        "a/./b",
        "a/",
        "",
        "a\\b",
        "nul\0",
        "file:///tmp/out",
        "x" * 5000,
        f"{UNFINISHED_PREFIX}x",
    ):
        response = await put(graphql, run, path)
        assert code(response) == (400, "BAD_USER_INPUT"), path
    assert files_in(tmp_path, "out") == []
    assert store.client.list_artifacts(run) == []


async def test_run_must_exist_and_be_active(store: Store, graphql: GraphQLClient, tmp_path: Path) -> None:
    """An upload needs a run that exists and is not deleted."""
    assert code(await put(graphql, ABSENT, "a")) == (404, "NOT_FOUND")
    assert code(await put(graphql, "no run!", "a")) == (400, "BAD_USER_INPUT")
    run = new_run(store, tmp_path)
    store.client.delete_run(run)
    response = await put(graphql, run, "a")
    assert code(response) == (400, "BAD_USER_INPUT")
    assert "'active' state" in response.text


async def test_encoded_content_is_refused(store: Store, graphql: GraphQLClient, tmp_path: Path) -> None:
    """An upload with a Content-Encoding is refused: the file would be the encoded bytes."""
    run = new_run(store, tmp_path)
    url = f"/artifacts/{run}/a"
    response = await graphql.http.put(url, content=b"a", headers={"content-encoding": "gzip"})
    assert code(response) == (415, "BAD_USER_INPUT")
    assert store.client.list_artifacts(run) == []
    response = await graphql.http.put(url, content=b"a", headers={"content-encoding": "identity"})
    # There are no uploads to a workspace.
    assert response.status_code == (501 if store.kind is StoreKind.AZURE_ML else 201)


async def test_content_range_is_refused(store: Store, graphql: GraphQLClient, tmp_path: Path) -> None:
    """An upload with Content-Range is refused: each part would replace the one before."""
    run = new_run(store, tmp_path)
    headers = {"content-range": "bytes 0-0/2"}
    response = await graphql.http.put(f"/artifacts/{run}/a", content=b"a", headers=headers)
    assert code(response) == (400, "BAD_USER_INPUT")
    assert "Content-Range" in response.text
    assert store.client.list_artifacts(run) == []


async def test_upload_size_is_limited(store: Store, graphql: GraphQLClient, tmp_path: Path) -> None:
    """A file above the limit is refused, with and without a Content-Length, and leaves nothing."""
    run = new_run(store, tmp_path)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 1_000_000

    assert code(await put(graphql, run, "a/large", b"x" * 3_000_001)) == (413, "LIMIT_EXCEEDED")
    response = await graphql.http.put(f"/artifacts/{run}/a/large", content=unannounced())
    if store.kind is StoreKind.AZURE_ML:
        assert code(response) == (501, "UNSUPPORTED_BY_STORE")
        return
    assert code(response) == (413, "LIMIT_EXCEEDED")
    assert "GQL_MAX_UPLOAD_BYTES" in response.text
    assert store.client.list_artifacts(run) == []
    assert files_in(root_of(store, run), "*") == []
