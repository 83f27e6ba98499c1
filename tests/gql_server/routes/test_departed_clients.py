"""Requests of clients that have left are not processed."""

import json
import socket
import threading
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.servers.served_app import PARSERS, Address, served_app

CLIENTS = 60


class BlockingTracking(MemoryTracking):
    """A store whose first call keeps the event loop busy until it is released."""

    def __init__(self, stored: Any) -> None:
        super().__init__(stored)
        self.entered = threading.Event()
        self.released = threading.Event()

    async def experiments_by_id(self, *arguments: Any) -> Any:
        """Return experiments."""
        self.entered.set()
        assert self.released.wait(30)
        return await super().experiments_by_id(*arguments)


def long_document(number: int) -> str:
    """Return a document that takes many milliseconds to parse and validate, and that no other equals."""
    fields = " ".join(f"a{index}: name" for index in range(190))
    more = " ".join(["id name experimentId artifactLocation lifecycleStage createdAt updatedAt"] * 35)
    return f"query Q{number} {{ experiment(experimentId: 1) {{ {fields} {more} }} }}"


def post(document: str) -> bytes:
    """Return a request."""
    body = json.dumps({"query": document}).encode()
    head = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def get(document: str) -> bytes:
    """Return a request without a body."""
    query = httpx.QueryParams({"query": document})
    return f"GET /graphql?{query} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


def leave(address: Address, request: bytes) -> None:
    """Send a request and close the connection."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(request)


@pytest.mark.parametrize("make", [post, get])
@pytest.mark.parametrize("parser", PARSERS)
def test_departed_clients_cost_no_work(tracking: MemoryTracking, parser: str, make: Any) -> None:
    """Of the requests that arrive while the loop is busy, only those of clients that stay are processed."""
    store = BlockingTracking(tracking.stored)
    app = create_app(Settings(tracking_uri="unused:", cache_running_seconds=0), store)
    with served_app(app, http=PARSERS[parser]) as address:
        url = f"http://{address[0]}:{address[1]}"
        first = socket.create_connection(address, timeout=30)
        first.sendall(post("{ experiment(experimentId: 1) { name } }"))
        assert store.entered.wait(30)
        for number in range(CLIENTS):
            leave(address, make(long_document(number)))
        store.released.set()
        stayed = httpx.post(f"{url}/graphql", json={"query": long_document(CLIENTS)}, timeout=30)
        first.close()
    assert stayed.json()["data"]["experiment"]["name"] == "one"
    # That of the first, that of the last, and those that arrive before the loop has read the first end.
    assert store.calls["experiments_by_id"] < CLIENTS / 4
