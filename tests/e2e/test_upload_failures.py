"""Uploads that are refused, aborted, too slow or fail, over a local folder."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest

from gql_server.artifacts.incoming_file import IncomingFile, LocalIncomingFile
from gql_server.artifacts.upload_targets import UploadTargets
from tests.support.app.graphql_client import graphql_client
from tests.support.app.uploads import code, new_run, put, root_of, unfinished
from tests.support.file_limits import files_limited_to
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until


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
        wait_until(lambda: bool(unfinished(root, server.process.pid)))
        assert not (root / "a/b/broken").exists()
        connection.close()
        wait_until(lambda: not root.exists())
        assert (
            httpx.put(f"{server.url}/artifacts/{run}/unchanged", content=b"before", timeout=60).status_code
            == 201
        )
        connection = _begin(server.url, run, "unchanged")
        wait_until(lambda: bool(unfinished(root, server.process.pid)))
        connection.close()
        wait_until(lambda: [entry.name for entry in root.iterdir()] == ["unchanged"])
    assert (root / "unchanged").read_bytes() == b"before"


async def test_upload_follows_no_links(sqlite_store: Store, tmp_path: Path) -> None:
    """An upload follows no link in a run's folder, and replaces a link in place of the file."""
    run = new_run(sqlite_store, tmp_path)
    root = root_of(sqlite_store, run)
    root.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"mine")
    (root / "link").symlink_to(outside)
    (root / "file-link").symlink_to(outside / "file")
    (root / "folder").mkdir()
    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        assert code(await put(graphql, run, "link/new")) == (400, "BAD_USER_INPUT")
        assert code(await put(graphql, run, "folder")) == (400, "BAD_USER_INPUT")
        assert (await put(graphql, run, "file-link", b"yours")).status_code == 200
        assert code(await put(graphql, run, "file-link/below")) == (400, "BAD_USER_INPUT")
        assert code(await put(graphql, run, "x" * 300)) == (400, "BAD_USER_INPUT")
    assert [entry.name for entry in outside.iterdir()] == ["file"]
    assert (outside / "file").read_bytes() == b"mine"
    assert (root / "file-link").read_bytes() == b"yours"
    assert sorted(entry.name for entry in root.iterdir()) == ["file-link", "folder", "link"]


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
    released = Event()
    commit = LocalIncomingFile.commit

    def slow(file: LocalIncomingFile) -> bool:
        assert released.wait(60)
        return commit(file)

    monkeypatch.setattr(LocalIncomingFile, "commit", slow)
    async with graphql_client(sqlite_store.uri, writable=True, upload_timeout=3, max_uploads=1) as graphql:
        async with asyncio.timeout(40):
            response = await put(graphql, run, "late")
        assert code(response) == (504, "STORE_TIMEOUT")
        assert "GQL_UPLOAD_TIMEOUT" in response.text
        # The upload occupies its slot until the store is done.
        assert code(await put(graphql, run, "next")) == (503, "STORE_UNAVAILABLE")
        released.set()
        for _ in range(1000):
            await asyncio.sleep(0.02)
            again = await put(graphql, run, "next")
            if again.status_code != 503:
                break
        assert again.status_code == 201
    assert sorted(entry.name for entry in root_of(sqlite_store, run).iterdir()) == ["late", "next"]


@pytest.mark.parametrize("store_name", ["sqlite_store", "server_store"])
async def test_upload_cancelled_while_its_file_opens_leaves_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store_name: str
) -> None:
    """An upload that is cancelled before its file is open, as at a stop, discards the file later."""
    store: Store = request.getfixturevalue(store_name)
    run = new_run(store, tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    begun, released, opened = Event(), Event(), Event()
    open_target = UploadTargets.open

    def slow(targets: UploadTargets, uri: str, parts: Sequence[str]) -> IncomingFile:
        begun.set()
        assert released.wait(60)
        try:
            return open_target(targets, uri, parts)
        finally:
            opened.set()

    monkeypatch.setattr(UploadTargets, "open", slow)
    async with graphql_client(store.uri, writable=True, max_uploads=1) as graphql:
        upload = asyncio.create_task(put(graphql, run, "a/b"))
        assert await asyncio.to_thread(begun.wait, 60)
        upload.cancel()
        await asyncio.wait({upload})
        released.set()
        assert await asyncio.to_thread(opened.wait, 60)
    assert list((tmp_path / "temporary").iterdir()) == []
    if store.name == "sqlite":
        assert not root_of(store, run).exists()


@pytest.mark.parametrize("store_name", ["sqlite_store", "server_store"])
async def test_full_disk_is_unavailable(
    request: pytest.FixtureRequest, tmp_path: Path, store_name: str
) -> None:
    """An upload that does not fit on the disk is STORE_UNAVAILABLE, and leaves nothing."""
    store: Store = request.getfixturevalue(store_name)
    run = new_run(store, tmp_path)
    async with graphql_client(store.uri, writable=True) as graphql:
        with files_limited_to(100_000):
            response = await put(graphql, run, "a/large", bytes(200_000))
        assert code(response) == (503, "STORE_UNAVAILABLE")
        assert "disk space" in response.text
        assert store.client.list_artifacts(run) == []
        assert (await put(graphql, run, "a/large", bytes(200_000))).status_code == 201


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
