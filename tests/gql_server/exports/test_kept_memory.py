"""What exports keep after they are sent: nothing."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.exports.export_format import FORMATS
from tests.gql_server.exports.test_streamed_exports import run_record
from tests.support.schema.memory_tracking import MemoryTracking

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files as Linux does")
_ROUNDS = 20
_SMALL = 100
"""Objects that other parts of the process may make meanwhile: far less than one for each request."""


class ForgettingTracking(MemoryTracking):
    """A store that does not record its calls."""

    async def record_call(self, method: str, *arguments: Any) -> None:
        """Do nothing."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a server over a store of ten runs."""
    runs = [run_record(number, "x") for number in range(10)]
    experiment = {"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "runs": runs}
    app = create_app(Settings(access_log=False), ForgettingTracking([experiment]))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client,
    ):
        yield client


async def request_all(client: httpx.AsyncClient) -> None:
    """Request tables in each format, whole, in part and their length, each written anew, and failing ones."""
    for format_ in FORMATS:
        for headers in ({}, {"range": "bytes=0-9"}):
            url = f"/tables/tags.{format_}"
            assert (await client.get(url, headers={"cache-control": "no-cache", **headers})).is_success
        assert (await client.head(f"/tables/runs.{format_}")).is_success
        for missing in ({}, {"range": "bytes=0-9"}):
            response = await client.get(f"/tables/runs.{format_}?experiment=none", headers=missing)
            assert response.status_code == 404


def usage() -> tuple[int, int, int]:
    """Return the number of Python objects, of Arrow's bytes and of open files."""
    gc.collect()
    return len(gc.get_objects()), pa.total_allocated_bytes(), len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_is_kept(client: httpx.AsyncClient) -> None:
    """After many exports there are as many objects, bytes of Arrow and open files as after a few."""
    for _ in range(3):
        await request_all(client)
    objects, arrow_bytes, files = usage()
    for _ in range(_ROUNDS):
        await request_all(client)
    more_objects, more_arrow_bytes, more_files = usage()
    assert more_objects - objects < _SMALL
    assert more_arrow_bytes <= arrow_bytes
    assert more_files <= files
