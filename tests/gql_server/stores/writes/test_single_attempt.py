"""Changes are sent once, and errors state whether the server may have applied them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from schema.ports.errors import StoreUnavailable
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, NewRun, Point, RunUpdate
from tests.support.servers.free_ports import free_port
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.stores.store import Store
from tests.support.stores.write_stores import IN_DOUBT, RecordingCache, open_write_store

RUN_ID = "0123456789abcdef0123456789abcdef"


@asynccontextmanager
async def recording_server(response: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Yield the URI of a server that sends this response or closes the connection, and its requests."""
    paths: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        paths.append((await reader.readuntil(b"\r\n")).split(b" ")[1])
        if response is not None:
            # Read all of the request: closing a connection with unread data resets it before the response
            # arrives.
            headers = await reader.readuntil(b"\r\n\r\n")
            content_length = re.search(rb"content-length: *([0-9]+)", headers, re.IGNORECASE)
            await reader.readexactly(int(content_length[1]) if content_length else 0)
            length = b"Content-Length: %d" % len(response.partition(b"\r\n")[2])
            head, _, body = response.partition(b"\r\n")
            writer.write(b"\r\n".join([b"HTTP/1.1 " + head, length, b"Connection: close", b"", body]))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"http://{host}:{port}", paths
    server.close()
    await server.wait_closed()


CHANGES: list[tuple[str, tuple[Any, ...]]] = [
    ("create_experiment", ("x", None, [])),
    ("delete_experiment", ("1",)),
    ("restore_experiment", ("1",)),
    ("set_experiment_tags", ("1", [KeyValue("k", "v")])),
    ("delete_experiment_tags", ("1", ["k"])),
    ("start_run", (NewRun("1"),)),
    ("update_run", (RUN_ID, RunUpdate(name="x"))),
    ("delete_run", (RUN_ID,)),
    ("restore_run", (RUN_ID,)),
    ("log_batch", (RUN_ID, Batch(metrics=[Point("m", 1, 0, 0)]))),
    ("delete_run_tags", (RUN_ID, ["k"])),
]


@pytest.mark.parametrize(("method", "arguments"), CHANGES)
@pytest.mark.parametrize("response", [b"500 Oops\r\n{}", b"503 Busy\r\nno", b"429 Slower\r\nno", None])
async def test_change_is_sent_once(method: str, arguments: tuple[Any, ...], response: bytes | None) -> None:
    """A server receives each change once, with any error response, or if it closes the connection."""
    async with recording_server(response) as (uri, paths):
        cache = RecordingCache()
        writer = open_write_store(uri, StoreKind.MLFLOW_SERVER, cache=cache)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - a public error, or an error for the log
            await getattr(writer, method)(*arguments)
        await writer.close()
    assert len(paths) == 1
    assert len(cache.invalidated) == 1
    if isinstance(caught.value, StoreUnavailable):
        assert IN_DOUBT in str(caught.value)
        assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    "response",
    [
        b'500 Oops\r\n{"error_code": "INTERNAL_ERROR", "message": "at http://a.b/c"}',
        b"500 Oops\r\n{}",
        b"502 Bad\r\n<html>the proxy's</html>",
        b"200 OK\r\n<html>the proxy's</html>",
        b'200 OK\r\n{"run": 3}',
    ],
)
async def test_response_that_is_not_mlflows_leaves_change_in_doubt(response: bytes) -> None:
    """A server that fails, or a proxy before it, may have applied the change, and the error states this."""
    async with recording_server(response) as (uri, paths):
        writer = open_write_store(uri, StoreKind.MLFLOW_SERVER)
        with pytest.raises(StoreUnavailable, match=IN_DOUBT) as caught:
            await writer.start_run(NewRun("1", "named"))
        await writer.close()
    assert len(paths) == 1
    assert "a.b" not in str(caught.value)


async def test_change_that_was_not_sent_is_not_in_doubt() -> None:
    """If no server listens, the change was not applied, and the error does not suggest otherwise."""
    writer = open_write_store(f"http://127.0.0.1:{free_port()}", StoreKind.MLFLOW_SERVER)
    with pytest.raises(StoreUnavailable) as caught:
        await writer.delete_run(RUN_ID)
    assert IN_DOUBT not in str(caught.value)
    missing = open_write_store("sqlite:////nowhere/at/all.db", StoreKind.SQL)
    with pytest.raises(StoreUnavailable) as caught:
        await missing.delete_run(RUN_ID)
    assert IN_DOUBT not in str(caught.value)
    await writer.close()
    await missing.close()


async def test_real_server_accepts_single_attempt_requests(
    server_store: Store, shared_mlflow_server: MlflowServer
) -> None:
    """A real MLflow server accepts the requests that are sent once."""
    writer = open_write_store(shared_mlflow_server.uri, StoreKind.MLFLOW_SERVER)
    experiment = await writer.create_experiment("x", None, [KeyValue("k", "v")])
    run = await writer.start_run(NewRun(experiment, "named"))
    assert server_store.client.get_run(run).info.run_name == "named"
    await writer.close()
