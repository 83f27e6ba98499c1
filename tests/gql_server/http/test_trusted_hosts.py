"""Tests of the Host headers that the server accepts."""

import asyncio
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.schema.memory_tracking import MemoryTracking


@pytest.mark.parametrize(
    ("host", "allowed", "accepted"),
    [
        ("localhost", "", True),
        ("localhost:8000", "", True),
        ("LOCALHOST.", "", True),
        ("127.0.0.1:8000", "", True),
        ("10.1.2.3", "", True),
        ("[::1]:8000", "", True),
        ("[fe80::1]", "", True),
        ("::1", "", True),
        ("evil.example", "", False),
        ("evil.example:8000", "", False),
        ("localhost.evil.example", "", False),
        ("127.0.0.1.evil.example", "", False),
        ("localhost@evil.example", "", False),
        ("", "", False),
        (":8000", "", False),
        ("\xe9", "", False),
        ("gql.example.org", "gql.example.org, other", True),
        ("GQL.example.org:443", "gql.example.org", True),
        ("evil.example.org", "gql.example.org", False),
        ("a.example.org", "*.example.org", True),
        ("example.org", "*.example.org", False),
        ("aexample.org", "*.example.org", False),
        ("anything.example", "*", True),
        ("[fd00::1]:8000", "fd00::1, [fd00::1]", True),
        ("localhost:\xb2", "", False),
        ("localhost:a", "", False),
        ("127.0.0.1:\xb9", "", False),
        ("[::1]:\xb3", "", False),
        ("localhost: 80", "", False),
        ("localhost:+80", "", False),
        ("localhost..", "", False),
        ("[localhost]", "", False),
        ("[::1", "", False),
        ("[fe80::1%evil.example]", "", False),
        ("evil.example:80@a.example.org", "*.example.org", False),
        ("evil.example/.example.org", "*.example.org", False),
        ("localhost:", "", True),
    ],
)
async def test_only_trusted_hosts_are_accepted(host: str, allowed: str, accepted: bool) -> None:  # noqa: FBT001
    """Addresses, localhost and the listed names are accepted; another name gets 403 and no data."""
    app = create_app(Settings(tracking_uri="unused:", allowed_hosts=allowed), MemoryTracking([]))
    status, body = await request(app, [(b"host", host.encode("latin-1"))])
    assert status == (200 if accepted else 403)
    assert (b"version" in body) is accepted
    assert (b"FORBIDDEN" in body) is not accepted


async def test_two_or_no_host_headers_are_refused() -> None:
    """A request with two Host headers, or with none, is refused."""
    app = create_app(Settings(tracking_uri="unused:"), MemoryTracking([]))
    assert (await request(app, [(b"host", b"localhost"), (b"host", b"evil.example")]))[0] == 403
    assert (await request(app, []))[0] == 403


async def test_listening_host_is_trusted() -> None:
    """The name that the server listens on need not be listed."""
    app = create_app(Settings(tracking_uri="unused:", host="gql.internal"), MemoryTracking([]))
    assert (await request(app, [(b"host", b"gql.internal:8000")]))[0] == 200


@pytest.mark.parametrize("name", [b"", b":8000", b"evil.example@", b"\xe9"])
async def test_listening_on_all_addresses_trusts_no_malformed_host(name: bytes) -> None:
    """Without a name to listen on, a Host without a valid name is still refused."""
    app = create_app(Settings(tracking_uri="unused:", host=""), MemoryTracking([]))
    assert (await request(app, [(b"host", name)]))[0] == 403


async def test_untrusted_host_is_refused_on_every_path() -> None:
    """The health endpoints and all other paths refuse an untrusted host as well."""
    app = create_app(Settings(tracking_uri="unused:"), MemoryTracking([]))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        for path in ("/", "/graphql", "/healthz", "/readyz", "/metrics", "/nothing"):
            assert (await client.get(path)).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost"])
async def test_websocket_handshake_is_refused(host: str) -> None:
    """A WebSocket handshake is refused: of a foreign host, of a foreign origin, and for another path."""
    app = create_app(Settings(tracking_uri="unused:"), MemoryTracking([]))
    for path in ("/graphql", "/nothing"):
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"host", host.encode()), (b"origin", b"https://evil.example")],
            "subprotocols": ["graphql-transport-ws"], "scheme": "ws", "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        await app(scope, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]


async def request(app: Any, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Send a query with exactly these headers, and return the status and body of the response."""
    scope = {
        "type": "http", "method": "GET", "path": "/graphql", "raw_path": b"/graphql", "root_path": "",
        "query_string": b"query=%7Bserver%7Bversion%7D%7D", "http_version": "1.1", "scheme": "http",
        "headers": headers,
    }  # fmt: skip
    sent: list[Any] = []
    received = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if not received:
            await asyncio.Event().wait()
        return received.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
