"""WebSockets and event streams of the command, in a separate process."""

import asyncio
import json
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo
from tests.support.waiting import wait_until

QUERY = "query Runs { runs(first: 1) { nodes { id } } }"


@pytest.fixture
def server(demo: Demo) -> Iterator[RunningServer]:
    """Serve the demo's store with the default settings."""
    with running_server("--directory", str(demo.directory), command="demo") as server:
        yield server


def websocket(server: RunningServer, **options: Any) -> Any:
    """Return a context that opens a WebSocket."""
    url = f"{server.url.replace('http', 'ws', 1)}/graphql"
    return connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], **options)


async def send_query(socket: ClientConnection) -> list[Any]:
    """Initialise the connection, run a query, and return the messages received."""
    await socket.send('{"type": "connection_init"}')
    payload = {"query": QUERY, "operationName": "Runs"}
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    return [json.loads(await socket.recv()) for _ in range(3)]


async def test_transports_have_the_same_results(server: RunningServer) -> None:
    """A query has the same result over HTTP, an event stream and a WebSocket."""
    expected = server.query(QUERY).json()
    async with websocket(server) as socket:
        ack, result, complete = await send_query(socket)
    assert (ack["type"], complete["type"]) == ("connection_ack", "complete")
    assert result["payload"] == expected
    headers = {"accept": "text/event-stream"}
    stream = await asyncio.to_thread(
        httpx.post, f"{server.url}/graphql", json={"query": QUERY}, headers=headers, timeout=60
    )
    assert json.loads(stream.text.splitlines()[1].removeprefix("data: ")) == expected
    wait_until(lambda: any('"CONNECT"' in line for line in server.printed))
    lines = [json.loads(line) for line in server.printed if line.startswith('{"time"')]
    observed = {(line["method"], line["status"], line["operation"]) for line in lines}
    assert {("POST", 200, "Runs"), ("SUBSCRIBE", 200, "Runs"), ("CONNECT", 101, "")} <= observed


async def test_foreign_host_is_refused(server: RunningServer) -> None:
    """A handshake for a foreign host gets 403, and one for another path as well."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://evil.example.org:{port}/graphql", host="127.0.0.1", proxy=None):
            pass
    assert caught.value.response.status_code == 403


async def test_stopping_server_closes_connections(server: RunningServer) -> None:
    """A server that gets SIGTERM closes its WebSockets with 1012, after the time for load balancers."""
    async with websocket(server) as socket:
        await send_query(socket)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), 30)
        assert (socket.close_code, socket.close_reason) == (1012, "The server stops")
    server.process.wait(30)
    wait_until(lambda: any("Application shutdown complete" in line for line in server.printed))
