"""Uploads of artifacts: whole or not at all, bounded, and inside their run."""

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
from tests.support.graphql_client import GraphQLClient, graphql_client
from tests.support.server_process import running_server
from tests.support.stores import Store
from tests.support.waiting import wait_until

ABSENT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def ask(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server that writes to the store."""
    async with graphql_client(store.uri, writable=True, max_upload_bytes=3_000_000) as ask:
        yield ask


def new_run(store: Store, folder: Path) -> str:
    """Return a run whose artifacts are the test's own, where the store lets one say where they are."""
    local = (folder / "artifacts of runs").as_uri()
    location = None if store.name == "server" else local
    experiment = store.client.create_experiment("of uploads", artifact_location=location)
    return str(store.client.create_run(experiment).info.run_id)


def root_of(store: Store, run: str) -> Path:
    """Return the folder of a run's artifacts."""
    return Path(unquote(urlsplit(store.client.get_run(run).info.artifact_uri).path))


def content_of(path: Path) -> bytes:
    """Return what is in a file."""
    return path.read_bytes()


def found_in(folder: Path, pattern: str) -> list[Path]:
    """Return what is in a folder and below; nothing where there is none."""
    return list(folder.rglob(pattern))


async def put(ask: GraphQLClient, run: str, path: str, content: bytes = b"x") -> httpx.Response:
    """Upload a file."""
    # Dots are encoded, or the client would resolve them itself.
    encoded = quote(path).replace(".", "%2E")
    return await ask.http.put(f"/artifacts/{quote(run)}/{encoded}", content=content)


def code(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of the only error."""
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


async def test_what_is_uploaded_is_there(
    store: Store, ask: GraphQLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of any name and size arrive as they are, in folders that are made; Azure ML takes none."""
    run = new_run(store, tmp_path)
    if store.kind is StoreKind.AZURE_ML:
        # Its plugin writes nothing, without a word, where it does not know the address of a file.
        assert code(await put(ask, run, "model.bin")) == (501, "UNSUPPORTED_BY_STORE")
        return
    files = {
        "model.bin": os.urandom(2_500_000),
        "plots/val/loss ü 100%.png": b"png",
        "empty": b"",
    }
    for path, content in files.items():
        response = await put(ask, run, path, content)
        assert response.status_code == 201, response.text
        assert response.json() == {"path": path, "size": len(content)}
    if store.name != "server":
        assert (await put(ask, run, "empty", b"not any more")).status_code == 200
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


async def test_no_name_is_read_as_another(store: Store, ask: GraphQLClient, tmp_path: Path) -> None:
    """A name that is hard to send arrives as it is or is refused, and never at the place of another file."""
    run = new_run(store, tmp_path)
    if store.kind is StoreKind.AZURE_ML:
        assert code(await put(ask, run, "z.txt?v=2")) == (501, "UNSUPPORTED_BY_STORE")
        return
    there = {"z.txt": b"z", "d/b.txt": b"b", "p q": b"pq", "h.txt": b"h"}
    for path, content in there.items():
        assert (await put(ask, run, path, content)).status_code == 201
    hard = ("z.txt?v=2", "z.txt#v", "d%2Fb.txt", "p%20q", "h.txt;", "h.txt?", "new\nline")
    for path in (*hard, "a;b", "50% off", "ü"):
        response = await put(ask, run, path, path.encode())
        if response.status_code == 201:
            there[path] = path.encode()
        else:
            assert code(response) == (400, "BAD_USER_INPUT"), response.text
    assert {"a;b", "50% off", "ü"} < there.keys()
    assert (store.name == "server") == ("z.txt#v" not in there)
    for path, content in there.items():
        # Not of the run's own listing: MLflow's client cannot ask for some of these.
        assert (await ask.http.get(f"/artifacts/{run}/{quote(path)}")).content == content


async def test_no_path_leads_elsewhere(store: Store, ask: GraphQLClient, tmp_path: Path) -> None:
    """A path that leads out of the run's folder, or might be read so, is refused on every store."""
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
        response = await put(ask, run, path)
        assert code(response) == (400, "BAD_USER_INPUT"), path
    assert found_in(tmp_path, "out") == []
    assert store.client.list_artifacts(run) == []


async def test_whose_file_it_is(store: Store, ask: GraphQLClient, tmp_path: Path) -> None:
    """A file is for a run that is there and not deleted."""
    assert code(await put(ask, ABSENT, "a")) == (404, "NOT_FOUND")
    assert code(await put(ask, "no run!", "a")) == (400, "BAD_USER_INPUT")
    run = new_run(store, tmp_path)
    store.client.delete_run(run)
    response = await put(ask, run, "a")
    assert code(response) == (400, "BAD_USER_INPUT")
    assert "'active' state" in response.text


async def test_a_part_of_a_file_is_not_taken_for_it(store: Store, ask: GraphQLClient, tmp_path: Path) -> None:
    """A client that sends a file in parts is told that each would replace the last, before it does."""
    run = new_run(store, tmp_path)
    headers = {"content-range": "bytes 0-0/2"}
    response = await ask.http.put(f"/artifacts/{run}/a", content=b"a", headers=headers)
    assert code(response) == (400, "BAD_USER_INPUT")
    assert "Content-Range" in response.text
    assert store.client.list_artifacts(run) == []


async def test_a_file_that_is_too_large(store: Store, ask: GraphQLClient, tmp_path: Path) -> None:
    """A file beyond the bound is refused, whether it says its size or just comes, and leaves nothing."""
    run = new_run(store, tmp_path)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 1_000_000

    assert code(await put(ask, run, "a/large", b"x" * 3_000_001)) == (413, "LIMIT_EXCEEDED")
    response = await ask.http.put(f"/artifacts/{run}/a/large", content=unannounced())
    if store.kind is StoreKind.AZURE_ML:
        assert code(response) == (501, "UNSUPPORTED_BY_STORE")
        return
    assert code(response) == (413, "LIMIT_EXCEEDED")
    assert "GQL_MAX_UPLOAD_BYTES" in response.text
    assert store.client.list_artifacts(run) == []
    assert found_in(root_of(store, run), "*") == []


async def test_a_server_that_reads_takes_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    """Without --writable there is no way to upload, and who tries is told of it."""
    run = new_run(sqlite_store, tmp_path)
    async with graphql_client(sqlite_store.uri) as ask:
        response = await put(ask, run, "a")
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


def test_a_broken_upload_leaves_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    """Of an upload that breaks off nothing is left, not the folders made for it, and what was there stays."""
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


async def test_links_are_not_followed(sqlite_store: Store, tmp_path: Path) -> None:
    """A link in a run's folder leads no upload out of it, and one at the place of a file is replaced."""
    run = new_run(sqlite_store, tmp_path)
    root = root_of(sqlite_store, run)
    root.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "place").symlink_to(outside / "file")
    (root / "folder").mkdir()
    async with graphql_client(sqlite_store.uri, writable=True) as ask:
        assert code(await put(ask, run, "link/new")) == (400, "BAD_USER_INPUT")
        assert code(await put(ask, run, "folder")) == (400, "BAD_USER_INPUT")
        assert (await put(ask, run, "place", b"yours")).status_code == 200
        assert code(await put(ask, run, "place/below")) == (400, "BAD_USER_INPUT")
        assert code(await put(ask, run, "x" * 300)) == (400, "BAD_USER_INPUT")
    assert [entry.name for entry in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"mine"
    assert (root / "place").read_bytes() == b"yours"
    assert sorted(entry.name for entry in root.iterdir()) == ["folder", "link", "place"]


async def test_uploads_are_bounded(sqlite_store: Store, tmp_path: Path) -> None:
    """One more upload than may be under way at once is told to come again."""
    run = new_run(sqlite_store, tmp_path)
    async with graphql_client(sqlite_store.uri, writable=True, max_uploads=1) as ask:
        second: list[httpx.Response] = []

        async def slow() -> AsyncIterator[bytes]:
            yield b"first "
            second.append(await put(ask, run, "b"))
            yield b"half"

        first = await ask.http.put(f"/artifacts/{run}/a", content=slow())
    assert first.status_code == 201
    assert code(second[0]) == (503, "STORE_UNAVAILABLE")
    assert (root_of(sqlite_store, run) / "a").read_bytes() == b"first half"


async def test_a_store_that_takes_long(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits longer for the store than it may take is told so then, and the file may come later."""
    run = new_run(sqlite_store, tmp_path)
    go_on = Event()
    commit = LocalIncomingFile.commit

    def slow(file: LocalIncomingFile) -> bool:
        assert go_on.wait(60)
        return commit(file)

    monkeypatch.setattr(LocalIncomingFile, "commit", slow)
    async with graphql_client(sqlite_store.uri, writable=True, upload_timeout=3, max_uploads=1) as ask:
        async with asyncio.timeout(40):
            response = await put(ask, run, "late")
        assert code(response) == (504, "STORE_TIMEOUT")
        assert "GQL_UPLOAD_TIMEOUT" in response.text
        # Its place is taken for as long as it is at work.
        assert code(await put(ask, run, "next")) == (503, "STORE_UNAVAILABLE")
        go_on.set()
        for _ in range(1000):
            await asyncio.sleep(0.02)
            again = await put(ask, run, "next")
            if again.status_code != 503:
                break
        assert again.status_code == 201
    assert sorted(entry.name for entry in root_of(sqlite_store, run).iterdir()) == ["late", "next"]


async def test_a_fault_of_the_disk(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a disk fails in a way that nobody foresaw, that is an error of the server, which goes on."""
    run = new_run(sqlite_store, tmp_path)

    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, "secret")

    async with graphql_client(sqlite_store.uri, writable=True) as ask:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", failing)
            response = await put(ask, run, "a/b")
        assert code(response) == (500, "INTERNAL_SERVER_ERROR")
        assert "secret" not in response.text
        assert not root_of(sqlite_store, run).exists()
        assert (await put(ask, run, "a/b")).status_code == 201
