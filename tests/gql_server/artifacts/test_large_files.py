"""Large files are streamed without using much memory."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.support.app.artifact_owners import ArtifactOwner
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until

SIZE = 512 * 2**20
"""Sent in a few seconds by a busy machine. Memory is the same for 2 GB, see docs/architecture.md."""
MAX_GROWTH = 32 * 2**20
"""Allowed growth of the server: its buffers, threads and caches, a sixteenth of the file."""


def _resident(pid: int, field: str = "VmRSS") -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def _open_files(pid: int) -> Iterator[Path]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since iterdir
            yield link.readlink()


def _streamed(url: str) -> int:
    with httpx.stream("GET", url, timeout=60) as response:
        assert response.headers["content-length"] == str(SIZE)
        return sum(map(len, response.iter_raw(2**20)))


def test_large_download_uses_little_memory(sqlite_store: Store, run: ArtifactOwner) -> None:
    """A large file is sent whole, and the memory of the server hardly grows."""
    path = run.write("large.bin", b"")
    os.truncate(run.folder / "large.bin", SIZE)
    run.write("small.bin")
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        assert server.get(f"{run.route}/small.bin").text == "content"
        before = _resident(server.process.pid)
        assert _streamed(f"{server.url}{path}") == SIZE
        assert _resident(server.process.pid, "VmHWM") - before < MAX_GROWTH


def test_disconnect_closes_file(sqlite_store: Store, run: ArtifactOwner) -> None:
    """When a client disconnects in the middle, the file is closed, and other clients are served."""
    path = run.write("large.bin", b"")
    os.truncate(run.folder / "large.bin", SIZE)
    with running_server("--tracking-uri", sqlite_store.uri, "--max-downloads", "1") as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), timeout=60) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
        # With one slot, this succeeds when the server has noticed the disconnect.
        transport = httpx.HTTPTransport(retries=3)
        with httpx.Client(transport=transport, timeout=60) as others:
            statuses = [others.head(f"{server.url}{path}").status_code]
            while statuses[-1] == 503 and len(statuses) < 2000:
                statuses.append(others.head(f"{server.url}{path}").status_code)
        assert statuses[-1] == 200
        # The read in progress ends first.
        wait_until(lambda: run.folder / "large.bin" not in _open_files(server.process.pid))
