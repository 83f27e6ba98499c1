"""Exports over real connections: errors, slow clients, disconnects and the limit."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.exports.table_layouts import TABLES
from schema.ports.errors import StoreUnavailable
from schema.ports.tracking import Page, Pages, Scope, Search
from tests.support.schema.memory_tracking import MemoryTracking, Record

VALUE = "x" * 2000
PLAIN = {"accept-encoding": "identity"}


def run_record(number: int, value: str = VALUE) -> Record:
    """Return a run with four tags of this value."""
    tags = [{"key": f"t{index}", "value": value} for index in range(4)]
    return {
        "run_id": f"run{number}",
        "experiment_id": "1",
        "name": "",
        "status": "FINISHED",
        "lifecycle_stage": "ACTIVE",
        "user_id": None,
        "started_at": number,
        "ended_at": None,
        "artifact_uri": f"mlflow-artifacts:/{number}",
        "params": [],
        "tags": tags,
        "metrics": [],
    }


class FailingTracking(MemoryTracking):
    """A store that can fail after its first page of runs."""

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return a page, or fail."""
        if page.after is not None and "later" in self.failing:
            raise self.failing["later"]
        return await super().runs(scopes, search, page)


@pytest.fixture
def tracking() -> FailingTracking:
    """Give a store with three pages of runs, each of 16 MB."""
    runs = [run_record(number) for number in range(3 * TABLES["tags"].runs_per_chunk)]
    return FailingTracking([{"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "runs": runs}])


@contextmanager
def served(tracking: MemoryTracking | None, **settings: Any) -> Iterator[str]:
    """Serve a store, or that of the settings, on a free port, in a thread."""
    app = create_app(Settings(**settings), tracking)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none"))
    ready = threading.Event()
    startup = server.startup

    async def announce(*arguments: object, **options: object) -> None:
        await startup(*arguments, **options)  # type: ignore[arg-type]
        ready.set()

    server.startup = announce  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


async def test_large_table_is_streamed_unless_there_is_a_file(tracking: FailingTracking) -> None:
    """A GET of a large table needs no file and has no length; after HEAD it gets the file, until a change."""
    app = create_app(Settings(), tracking)
    url = "/tables/tags.csv"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client,
    ):
        streamed = await client.get(url)
        assert "content-length" not in streamed.headers
        assert streamed.headers["accept-ranges"] == "none"
        head = await client.head(url)
        assert head.headers["content-length"] == str(len(streamed.content))
        calls = tracking.calls["runs"]
        whole = await client.get(url)
        assert whole.headers["etag"] == head.headers["etag"]
        assert tracking.calls["runs"] == calls
        fresh = await client.get(url, headers={"cache-control": "no-cache"})
        assert "etag" not in fresh.headers
        assert whole.content == fresh.content == streamed.content


@pytest.mark.parametrize("format_", ["csv", "ndjson", "arrow", "feather"])
def test_error_in_the_middle_breaks_the_download(tracking: FailingTracking, format_: str) -> None:
    """If the store fails after the first part, the client gets a broken download and not a short file."""
    tracking.failing["later"] = StoreUnavailable("The store is down.")
    with served(tracking) as url:
        with httpx.stream("GET", f"{url}/tables/tags.{format_}", timeout=30) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                response.read()
        del tracking.failing["later"]
        assert httpx.get(f"{url}/tables/tags.{format_}", timeout=30).status_code == 200


def test_error_before_parquet_is_sent_is_a_response(tracking: FailingTracking) -> None:
    """A Parquet file is complete before its first byte is sent, so an error has a status and a message."""
    tracking.failing["later"] = StoreUnavailable("The store is down.")
    with served(tracking) as url:
        response = httpx.get(f"{url}/tables/tags.parquet", timeout=30)
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
        del tracking.failing["later"]
        assert httpx.get(f"{url}/tables/tags.parquet", timeout=30).status_code == 200


def test_client_that_stops_reading_is_disconnected(tracking: FailingTracking) -> None:
    """A client that stops reading is disconnected, which ends the scan and frees its slot."""
    with served(tracking, max_table_downloads=1, download_patience=6) as url:
        with httpx.stream("GET", f"{url}/tables/tags.csv", headers=PLAIN, timeout=30) as response:
            body = response.iter_raw(1000)
            next(body)
            # The only slot is occupied.
            refused = httpx.get(f"{url}/tables/tags.csv", timeout=30)
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
            assert "GQL_MAX_TABLE_DOWNLOADS" in refused.text
            while (
                again := httpx.head(f"{url}/tables/runs.csv?columns=run_id", timeout=30)
            ).status_code == 503:
                pass
            assert again.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                list(body)
        assert tracking.calls["runs"] < 5


def test_slow_client_gets_the_whole_export(tracking: FailingTracking) -> None:
    """A client that reads continuously is served, even if one part takes longer than the timeout."""
    with (
        served(tracking, download_patience=5) as url,
        httpx.stream("GET", f"{url}/tables/tags.csv", headers=PLAIN, timeout=30) as response,
    ):
        size = 0
        for chunk in response.iter_raw(2**20):
            size += len(chunk)
            # A part of 16 MB takes more than six seconds.
            if size < 20 * 2**20:
                time.sleep(0.4)
    assert size > 3 * 4 * TABLES["tags"].runs_per_chunk * len(VALUE)


def test_disconnect_ends_the_scan(tracking: FailingTracking) -> None:
    """Closing the connection ends the scan and frees the slot."""
    with served(tracking, max_table_downloads=1) as url:
        with httpx.stream("GET", f"{url}/tables/tags.csv", timeout=30) as response:
            next(response.iter_raw(1000))
        while httpx.head(f"{url}/tables/runs.csv?columns=run_id", timeout=30).status_code == 503:
            pass
        assert tracking.calls["tags"] < 4
