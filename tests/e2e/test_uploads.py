"""Uploads of artifacts: complete or absent, limited, and only into the folder of the run."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
from mlflow.artifacts import download_artifacts

from gql_server.artifacts.incoming_file import UNFINISHED_PREFIX, LocalIncomingFile
from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until

ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def graphql(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server that writes to the store."""
    async with graphql_client(store.uri, writable=True, max_upload_bytes=3_000_000) as graphql:
        yield graphql


def new_run(store: Store, folder: Path) -> str:
    """Return a run with artifacts in a folder of the test, if the store allows to choose the location."""
    local = (folder / "artifacts of runs").as_uri()
    location = None if store.name == "server" else local
    experiment = store.client.create_experiment("of uploads", artifact_location=location)
    return str(store.client.create_run(experiment).info.run_id)


def root_of(store: Store, run: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(unquote(urlsplit(store.client.get_run(run).info.artifact_uri).path))


def content_of(path: Path) -> bytes:
    """Return the content of a file."""
    return path.read_bytes()


def files_in(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that match; none if the folder does not exist."""
    return list(folder.rglob(pattern))


async def put(graphql: GraphQLClient, run: str, path: str, content: bytes = b"x") -> httpx.Response:
    """Upload a file."""
    # Dots are encoded, since the client would resolve them.
    encoded = quote(path).replace(".", "%2E")
    return await graphql.http.put(f"/artifacts/{quote(run)}/{encoded}", content=content)


def code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a response with one error."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


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
    there = {"z.txt": b"z", "d/b.txt": b"b", "p q": b"pq", "h.txt": b"h"}
    for path, content in there.items():
        assert (await put(graphql, run, path, content)).status_code == 201
    hard = ("z.txt?v=2", "z.txt#v", "d%2Fb.txt", "p%20q", "h.txt;", "h.txt?", "new\nline")
    for path in (*hard, "a;b", "50% off", "ü"):
        response = await put(graphql, run, path, path.encode())
        if response.status_code == 201:
            there[path] = path.encode()
        else:
            assert code(response) == (400, "BAD_USER_INPUT"), response.text
    assert {"a;b", "50% off", "ü"} < there.keys()
    assert (store.name == "server") == ("z.txt#v" not in there)
    for path, content in there.items():
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


async def test_read_only_server_refuses_uploads(sqlite_store: Store, tmp_path: Path) -> None:
    """Without --writable there are no uploads, and the error describes how to enable them."""
    run = new_run(sqlite_store, tmp_path)
    async with graphql_client(sqlite_store.uri) as graphql:
        response = await put(graphql, run, "a")
    assert code(response) == (405, "BAD_USER_INPUT")
    assert "--writable" in response.text
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert not root_of(sqlite_store, run).exists()


def _begin(url: str, run: str, path: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = f"PUT /artifacts/{run}/{path} HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000\r\n\r\n"
    connection.sendall(head.encode() + b"x" * 2_500_000)
    return connection


def test_aborted_upload_leaves_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    """An aborted upload leaves no file and no folder, and an existing file is unchanged."""
    run = new_run(sqlite_store, tmp_path)
    root = root_of(sqlite_store, run)
    with running_server("--tracking-uri", sqlite_store.uri, "--writable") as server:
        connection = _begin(server.url, run, "a/b/broken")
        wait_until(lambda: bool(list(root.rglob(f"{UNFINISHED_PREFIX}*"))))
        assert not (root / "a/b/broken").exists()
        connection.close()
        wait_until(lambda: not root.exists())
        assert (
            httpx.put(f"{server.url}/artifacts/{run}/kept", content=b"before", timeout=60).status_code == 201
        )
        connection = _begin(server.url, run, "kept")
        wait_until(lambda: bool(list(root.rglob(f"{UNFINISHED_PREFIX}*"))))
        connection.close()
        wait_until(lambda: [entry.name for entry in root.iterdir()] == ["kept"])
    assert (root / "kept").read_bytes() == b"before"


async def test_upload_follows_no_links(sqlite_store: Store, tmp_path: Path) -> None:
    """An upload follows no link in a run's folder, and replaces a link in place of the file."""
    run = new_run(sqlite_store, tmp_path)
    root = root_of(sqlite_store, run)
    root.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "place").symlink_to(outside / "file")
    (root / "folder").mkdir()
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        assert code(await put(graphql, run, "link/new")) == (400, "BAD_USER_INPUT")
        assert code(await put(graphql, run, "folder")) == (400, "BAD_USER_INPUT")
        assert (await put(graphql, run, "place", b"yours")).status_code == 200
        assert code(await put(graphql, run, "place/below")) == (400, "BAD_USER_INPUT")
        assert code(await put(graphql, run, "x" * 300)) == (400, "BAD_USER_INPUT")
    assert [entry.name for entry in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"mine"
    assert (root / "place").read_bytes() == b"yours"
    assert sorted(entry.name for entry in root.iterdir()) == ["folder", "link", "place"]


async def test_uploads_in_progress_are_limited(sqlite_store: Store, tmp_path: Path) -> None:
    """An upload above the limit gets 503."""
    run = new_run(sqlite_store, tmp_path)
    async with graphql_client(sqlite_store.uri, writable=True, max_uploads=1) as graphql:
        second: list[httpx.Response] = []

        async def slow() -> AsyncIterator[bytes]:
            yield b"first "
            second.append(await put(graphql, run, "b"))
            yield b"half"

        first = await graphql.http.put(f"/artifacts/{run}/a", content=slow())
    assert first.status_code == 201
    assert code(second[0]) == (503, "STORE_UNAVAILABLE")
    assert (root_of(sqlite_store, run) / "a").read_bytes() == b"first half"


async def test_slow_store_times_out(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that the store does not take in time is STORE_TIMEOUT; the file may be stored later."""
    run = new_run(sqlite_store, tmp_path)
    go_on = Event()
    commit = LocalIncomingFile.commit

    def slow(file: LocalIncomingFile) -> bool:
        assert go_on.wait(60)
        return commit(file)

    monkeypatch.setattr(LocalIncomingFile, "commit", slow)
    async with graphql_client(sqlite_store.uri, writable=True, upload_timeout=3, max_uploads=1) as graphql:
        async with asyncio.timeout(40):
            response = await put(graphql, run, "late")
        assert code(response) == (504, "STORE_TIMEOUT")
        assert "GQL_UPLOAD_TIMEOUT" in response.text
        # The upload occupies its slot until the store is done.
        assert code(await put(graphql, run, "next")) == (503, "STORE_UNAVAILABLE")
        go_on.set()
        for _ in range(1000):
            await asyncio.sleep(0.02)
            again = await put(graphql, run, "next")
            if again.status_code != 503:
                break
        assert again.status_code == 201
    assert sorted(entry.name for entry in root_of(sqlite_store, run).iterdir()) == ["late", "next"]


async def test_unexpected_disk_error_is_internal(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected disk error is INTERNAL_SERVER_ERROR, and the server continues to work."""
    run = new_run(sqlite_store, tmp_path)

    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, "secret")

    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing)
            response = await put(graphql, run, "a/b")
        assert code(response) == (500, "INTERNAL_SERVER_ERROR")
        assert "secret" not in response.text
        assert not root_of(sqlite_store, run).exists()
        assert (await put(graphql, run, "a/b")).status_code == 201
