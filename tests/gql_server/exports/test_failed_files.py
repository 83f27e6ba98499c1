"""Files of exports that fail: nothing of them stays open or on disk, and the error says why."""

from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.exports.arrow_formats import ParquetFileWriter
from gql_server.exports.export_format import FORMATS
from gql_server.exports.table_layouts import TABLES
from schema.ports.errors import StoreUnavailable
from tests.e2e.test_flat_rows import fill
from tests.gql_server.exports.test_streamed_exports import FailingTracking, run_record
from tests.support.app.uploads import code
from tests.support.file_limits import files_limited_to
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files as Linux does")

_RUNS = 3 * TABLES["tags"].runs_per_chunk


def open_files(process: int | str = "self") -> list[str]:
    """Return the paths of the open files of the spool, deleted ones included."""
    links = [entry for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()]
    targets = []
    for link in links:
        try:
            targets.append(str(link.readlink()))
        except FileNotFoundError:  # the descriptor of this listing
            continue
    return [target for target in targets if "/tables-" in target]


@pytest.fixture
def tracking() -> FailingTracking:
    """Give a store with three pages of runs that can fail after the first."""
    # Values that no format compresses.
    values = [sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(_RUNS)]
    runs = [run_record(number, value) for number, value in enumerate(values)]
    return FailingTracking([{"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "runs": runs}])


@pytest.fixture
async def client(tracking: FailingTracking) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server over that store, whose spool has 150,000 bytes."""
    app = create_app(Settings(table_spool_bytes=150_000), tracking)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize("format_", FORMATS)
async def test_failed_file_is_closed(
    client: httpx.AsyncClient, tracking: FailingTracking, format_: str
) -> None:
    """A file is closed if the store fails while it is written, and if it is larger than the spool."""
    headers = {"range": "bytes=0-9"}
    tracking.failing["later"] = StoreUnavailable("The store is down.")
    for _ in range(3):
        response = await client.get(f"/tables/tags.{format_}?columns=key", headers=headers)
        assert response.status_code == 503
        assert open_files() == []
    del tracking.failing["later"]
    response = await client.get(f"/tables/tags.{format_}", headers=headers)
    assert response.status_code == 422
    assert "GQL_TABLE_SPOOL_BYTES" in response.text
    assert open_files() == []


def test_failed_writer_raises_nothing_later() -> None:
    """A writer on a full disk fails with the disk's error, and closing it then raises nothing."""
    with pytest.raises(OSError, match="No space left"):
        _write_to_full_disk()


def _write_to_full_disk() -> None:
    writer = ParquetFileWriter(Path("/dev/full"), [("a", "text")], "zstd")
    try:
        writer.finish()
    finally:
        writer.close()


def test_full_disk_is_unavailable(sqlite_store: Store) -> None:
    """If a file does not fit on the disk, the response is 503, and a later one succeeds."""
    fill(sqlite_store.client)
    with running_server("--tracking-uri", sqlite_store.uri) as server:
        for format_ in FORMATS:
            ranged = partial(server.get, f"/tables/runs.{format_}", headers={"range": "bytes=0-9"})
            with files_limited_to(100, server.process.pid):
                response = ranged()
            assert code(response) == (503, "STORE_UNAVAILABLE")
            assert "disk space" in response.text
            assert response.headers["retry-after"]
            assert open_files(server.process.pid) == []
            assert ranged().status_code == 206
