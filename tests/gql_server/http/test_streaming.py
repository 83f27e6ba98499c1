"""Tests of sending large responses over real connections."""

import asyncio
import json
import socket
import time
from contextlib import closing

import httpx
import pytest
from starlette.types import Message

from gql_server.http.streaming import send_in_chunks, send_with_timeout
from tests.gql_server.exports.test_streamed_exports import served
from tests.support.app.artifact_owners import ArtifactOwner, run
from tests.support.schema.memory_tracking import MemoryTracking, Record
from tests.support.stores.store import Store

__all__ = ["run"]

LONG = "x" * 20_000_000
QUERY = {"query": "{ experiment(experimentId: 1) { name } }"}


def store_with(name: str) -> MemoryTracking:
    """Return a store with one experiment of this name."""
    experiment: Record = dict.fromkeys(("artifact_location", "created_at", "updated_at"))
    columns = {"experiment_id": "1", "name": name, "lifecycle_stage": "ACTIVE", "tags": [], "runs": []}
    return MemoryTracking([experiment | columns])


def test_large_response_arrives_whole() -> None:
    """A client that reads gets the whole response, compressed or not."""
    with served(store_with(LONG)) as url:
        whole = httpx.post(f"{url}/graphql", json=QUERY, timeout=60)
        assert whole.json() == {"data": {"experiment": {"name": LONG}}}
        compressed = {"accept-encoding": "gzip"}
        response = httpx.get(f"{url}/graphql", params=QUERY, headers=compressed, timeout=60)
        assert response.json() == {"data": {"experiment": {"name": LONG}}}


def test_client_that_stops_reading_is_disconnected() -> None:
    """A client that does not read is disconnected after the timeout, before the end of the response."""
    body = json.dumps(QUERY).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    request = head.encode() + b"Content-Type: application/json\r\n\r\n" + body
    with served(store_with(LONG), download_patience=0.5) as url:
        assert 0 < received_after_a_pause(url, request) < len(LONG)


def test_client_that_stops_reading_an_artifact_is_disconnected(
    sqlite_store: Store, run: ArtifactOwner
) -> None:
    """The timeout applies to the download of an artifact as well."""
    path = run.write("long.bin", LONG.encode())
    with served(None, tracking_uri=sqlite_store.uri, download_patience=0.5) as url:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert 0 < received_after_a_pause(url, request) < len(LONG)


def received_after_a_pause(url: str, request: bytes) -> int:
    """Send a request, read nothing for six seconds, and return the number of bytes received after that."""
    with closing(socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=30)) as client:
        client.sendall(request)
        time.sleep(6)
        received = 0
        while chunk := client.recv(1_000_000):
            received += len(chunk)
    return received


async def test_chunks_form_the_whole_body() -> None:
    """A body of any length is sent whole, and `more_body` is false in the last message only."""
    for length in (0, 1, 262_143, 262_144, 262_145, 524_288, 1_000_000):
        sent: list[Message] = []

        async def send(message: Message, sent: list[Message] = sent) -> None:
            sent.append(message)

        body = bytes(index % 251 for index in range(length))
        await send_in_chunks(send)({"type": "http.response.body", "body": body})
        assert b"".join(message["body"] for message in sent) == body
        assert [message.get("more_body", False) for message in sent] == [True] * (len(sent) - 1) + [False]


class SlowSend:
    """An ASGI `send` that waits for two events, and then raises an error if it has one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.accepted = asyncio.Event()
        self.sent: list[Message] = []
        self.cancelled = False
        self._error = error

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        try:
            await asyncio.sleep(0)
            await self.accepted.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self._error:
            raise self._error
        self.sent.append(message)


async def test_slow_message_is_sent_or_times_out() -> None:
    """A message that waits is sent when the client accepts it, and is cancelled at the timeout."""
    send = SlowSend()
    sending = asyncio.ensure_future(send_with_timeout(send, 60)({"type": "a"}))
    await asyncio.sleep(0)
    send.accepted.set()
    await sending
    assert send.sent == [{"type": "a"}]
    send = SlowSend()
    with pytest.raises(TimeoutError):
        await send_with_timeout(send, 0.01)({"type": "a"})
    assert send.cancelled


async def test_error_of_a_message_is_raised() -> None:
    """An error of `send` is raised, whether it raised at once or after it had waited."""
    send = SlowSend(OSError("closed"))
    send.accepted.set()
    with pytest.raises(OSError, match="closed"):
        await send_with_timeout(send, 60)({"type": "a"})

    async def fail(_message: Message) -> None:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        await send_with_timeout(fail, 60)({"type": "a"})


async def test_message_that_is_sent_at_once_has_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No timeout is made for a message that is accepted at once."""
    monkeypatch.setattr(asyncio, "timeout", None)

    async def accept(_message: Message) -> None:
        pass

    await send_with_timeout(accept, 60)({"type": "a"})
