"""Uploads that the end of the server stops in the middle: nothing of them stays on disk."""

import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.app.uploads import new_run, root_of, unfinished
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Give the folder for temporary files of the servers."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def begin(server: RunningServer, run: str) -> socket.socket:
    """Send a part of an upload."""
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    head = f"PUT /artifacts/{run}/a/broken HTTP/1.1\r\nHost: test\r\nContent-Length: 8000000\r\n\r\n"
    connection.sendall(head.encode() + b"x" * 2_500_000)
    return connection


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("store_name", ["sqlite_store", "server_store"])
def test_stop_leaves_nothing_of_an_upload(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    temporary: Path,
    store_name: str,
    number: signal.Signals,
) -> None:
    """A signal in the middle of an upload leaves no file and no folder, in any kind of location."""
    store: Store = request.getfixturevalue(store_name)
    run = new_run(store, tmp_path)
    environment = {"TMPDIR": str(temporary), "GQL_SHUTDOWN_TIMEOUT": "1"}
    options = ("--tracking-uri", store.uri, "--writable")
    with running_server(*options, **environment) as server, begin(server, run):
        wait_until(lambda: bool(unfinished(tmp_path, server.process.pid)))
        server.process.send_signal(number)
        server.process.wait(60)
    assert unfinished(tmp_path, server.process.pid) == []
    assert list(temporary.iterdir()) == []
    if store.name == "sqlite":
        assert not root_of(store, run).exists()


def test_next_server_deletes_what_a_killed_one_left(
    server_store: Store, tmp_path: Path, temporary: Path
) -> None:
    """The files of a killed server are deleted by the next one, and not those of a running one."""
    run = new_run(server_store, tmp_path)
    options = ("--tracking-uri", server_store.uri, "--writable")
    with running_server(*options, TMPDIR=str(temporary)) as running, begin(running, run):
        wait_until(lambda: len(unfinished(temporary, running.process.pid)) == 1)
        of_running = set(temporary.iterdir())
        with running_server(*options, TMPDIR=str(temporary)) as killed, begin(killed, run):
            wait_until(lambda: len(unfinished(temporary, killed.process.pid)) == 2)
            of_killed = set(temporary.iterdir()) - of_running
            killed.process.kill()
            killed.process.wait(60)
        assert len(unfinished(temporary, killed.process.pid)) == 2
        (kept,) = of_running
        with running_server(*options, TMPDIR=str(temporary)) as later, begin(later, run):
            wait_until(lambda: not any(folder.exists() for folder in of_killed))
            assert len(unfinished(kept, running.process.pid)) == 1
    assert list(temporary.iterdir()) == []


def test_killed_server_leaves_nothing_of_an_upload(
    sqlite_store: Store, tmp_path: Path, temporary: Path
) -> None:
    """A server that is killed in the middle of an upload leaves no file in a local folder of artifacts."""
    run = new_run(sqlite_store, tmp_path)
    options = ("--tracking-uri", sqlite_store.uri, "--writable")
    with running_server(*options, TMPDIR=str(temporary)) as server, begin(server, run):
        wait_until(lambda: bool(unfinished(tmp_path, server.process.pid)))
        server.process.kill()
        server.process.wait(60)
    assert [path.name for path in root_of(sqlite_store, run).rglob("*")] == ["a"]
    assert list(temporary.iterdir()) == []


def test_workers_of_a_killed_supervisor_stop(sqlite_store: Store, temporary: Path) -> None:
    """Workers stop when their supervisor is killed; the next server deletes the folder of their metrics."""
    options = ("--tracking-uri", sqlite_store.uri, "--workers", "2")

    def folders() -> set[str]:
        return {path.name for path in temporary.iterdir()}

    with running_server(*options, TMPDIR=str(temporary)) as running:
        of_running = folders()
        with running_server(*options, TMPDIR=str(temporary)) as killed:
            of_killed = folders() - of_running
            killed.process.kill()
            killed.process.wait(60)
            address = urlsplit(killed.url)
            wait_until(lambda: not _accepts(address.hostname, address.port))
        assert folders() == of_running | of_killed
        with running_server("--tracking-uri", sqlite_store.uri, TMPDIR=str(temporary)):
            wait_until(lambda: folders() == of_running)
        assert running.get("/healthz").status_code == 200
    assert folders() == set()


def _accepts(host: str | None, port: int | None) -> bool:
    try:
        socket.create_connection((host or "", port or 0), timeout=30).close()
    except OSError:
        return False
    return True
