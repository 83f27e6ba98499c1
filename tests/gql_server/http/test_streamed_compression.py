"""Tables in CSV and Arrow are compressed while they are sent."""

import gzip
import io

import httpx
import pyarrow.ipc
import pytest
from backports import zstd

from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking, Record


@pytest.fixture
def tracking() -> MemoryTracking:
    """Return a store with a run of 2,000 params: a table of 200 kB."""
    params = [{"key": f"param{number}", "value": f"value of the param {number}"} for number in range(2000)]
    run: Record = {
        "run_id": "0123456789abcdef0123456789abcdef",
        "experiment_id": "1",
        "name": "",
        "status": "FINISHED",
        "lifecycle_stage": "ACTIVE",
        "user_id": None,
        "started_at": 0,
        "ended_at": None,
        "params": params,
        "tags": [],
        "metrics": [],
    }
    return MemoryTracking([{"experiment_id": "1", "name": "one", "lifecycle_stage": "ACTIVE", "runs": [run]}])


async def download(
    tracking: MemoryTracking, path: str, method: str = "GET", **headers: str
) -> tuple[httpx.Response, bytes]:
    """Return a response and its body as it was sent."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        app_client(tracking) as client,
        client.stream(method, path, headers={"accept-encoding": "identity"} | named) as response,
    ):
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.parametrize("path", ["/tables/params.csv", "/tables/params.arrow"])
@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("zstd;q=1, gzip;q=0.5", "zstd"),
    ],
)
async def test_table_is_compressed(tracking: MemoryTracking, path: str, accepted: str, encoding: str) -> None:
    """A client that accepts an encoding gets the same table in less bytes."""
    plain, content = await download(tracking, path)
    response, sent = await download(tracking, path, accept_encoding=accepted)
    assert response.headers["content-encoding"] == encoding
    assert response.headers["content-length"] == str(len(sent))
    assert response.headers["content-type"] == plain.headers["content-type"]
    decoded = gzip.decompress(sent) if encoding == "gzip" else zstd.decompress(sent)
    assert decoded == content
    assert len(sent) < len(content) / 4
    if path.endswith("arrow"):
        assert pyarrow.ipc.open_stream(io.BytesIO(decoded)).read_all().num_rows == 2000


@pytest.mark.parametrize("path", ["/tables/params.csv", "/tables/params.arrow"])
async def test_caches_distinguish_the_encodings(tracking: MemoryTracking, path: str) -> None:
    """Both forms of a table state that they depend on Accept-Encoding."""
    for accepted in ("gzip", "identity"):
        response, _ = await download(tracking, path, accept_encoding=accepted)
        assert "Accept-Encoding" in response.headers["vary"]


async def test_large_table_is_compressed_while_it_is_sent(tracking: MemoryTracking) -> None:
    """A table that is not complete when its response begins is compressed part by part, and has no length."""
    (run,) = tracking.stored[0]["runs"]
    run["params"] = [{"key": f"param{number}", "value": "a value"} for number in range(30_000)]
    _, content = await download(tracking, "/tables/params.csv")
    response, sent = await download(tracking, "/tables/params.csv", accept_encoding="gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert "content-length" not in response.headers
    assert gzip.decompress(sent) == content


@pytest.mark.parametrize("path", ["/tables/params.csv", "/tables/params.arrow"])
async def test_get_after_head_has_its_headers(tracking: MemoryTracking, path: str) -> None:
    """HEAD gives the length of the table for ranges, and a GET after it has the same length."""
    async with app_client(tracking) as client:
        head = await client.head(path, headers={"accept-encoding": "gzip"})
        get = await client.get(path, headers={"accept-encoding": "gzip"})
    assert head.content == b""
    assert head.headers == get.headers
    assert head.headers["content-length"] == str(len(get.content))


async def test_range_is_not_compressed(tracking: MemoryTracking) -> None:
    """A range counts the bytes of the table and not those of an encoding."""
    response, _ = await download(tracking, "/tables/params.csv", accept_encoding="gzip", range="bytes=0-9")
    assert "content-encoding" not in response.headers


async def test_parquet_and_errors_are_not_compressed_twice(tracking: MemoryTracking) -> None:
    """Parquet is compressed inside, and an error has its own encoding."""
    parquet, _ = await download(tracking, "/tables/params.parquet", accept_encoding="gzip")
    assert (parquet.status_code, parquet.headers.get("content-encoding")) == (200, None)
    assert "content-length" in parquet.headers
    error, body = await download(tracking, "/tables/nothing.csv", accept_encoding="gzip")
    assert error.status_code == 404
    assert b"errors" in body
