"""Clients receive the response to a request whose body the server does not read, on every parser."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.servers.served_app import PARSERS, exchange, served_app

MEGABYTE = 1_000_000
POST = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.fixture(params=PARSERS)
def address(request: pytest.FixtureRequest, tracking: MemoryTracking) -> Iterator[tuple[str, int]]:
    """Serve the application with a limit of 10,000 bytes."""
    app = create_app(Settings(tracking_uri="unused:", max_body_bytes=10_000), tracking)
    with served_app(app, http=PARSERS[request.param]) as served:
        yield served


def urllib_status(address: tuple[str, int], path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """Return the status and content of the response that Python's urllib gets."""
    url = f"http://{address[0]}:{address[1]}{path}"
    request = urllib.request.Request(url, body, {"content-type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - the URL is the test's own
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def send_chunks(connection: socket.socket, size: int, count: int) -> None:
    """Send chunks of a body, without its end."""
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size)
    for _ in range(count):
        connection.sendall(chunk)


@pytest.mark.parametrize("megabytes", [1, 50])
def test_large_body_of_urllib_gets_413(address: tuple[str, int], megabytes: int) -> None:
    """Urllib sends its whole body before it reads, and asks for the connection to be closed."""
    status, content = urllib_status(address, "/graphql", b"x" * megabytes * MEGABYTE)
    assert status == 413
    assert "GQL_MAX_BODY_BYTES" in content["errors"][0]["message"]


def test_large_chunked_body_of_urllib_gets_413(address: tuple[str, int]) -> None:
    """Without a length the server reads up to its limit, and the client still gets the response."""
    body = iter([b"x" * MEGABYTE] * 50)
    status, content = urllib_status(address, "/graphql", body)
    assert status == 413
    assert "GQL_MAX_BODY_BYTES" in content["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/nothing", {}, 404),
        ("/graphql", {"content-type": "text/plain"}, 415),
        ("/graphql", {"host": "attacker.example"}, 403),
        ("/graphql", {"origin": "https://attacker.example"}, 403),
        ("/graphql", {"x-large": "x" * 60_000, "x-larger": "x" * 6_000}, 431),
        ("/graphql", {"accept": "image/png"}, 406),
    ],
)
def test_every_refusal_reaches_the_client(
    address: tuple[str, int], path: str, headers: dict[str, str], status: int
) -> None:
    """A refusal before the body is read reaches a client that sends the whole body first."""
    assert urllib_status(address, path, b"x" * 20 * MEGABYTE, **headers)[0] == status


@pytest.mark.parametrize("length", [5 * MEGABYTE, 10_001])
def test_expectation_of_a_large_body_is_refused(address: tuple[str, int], length: int) -> None:
    """`Expect: 100-continue` with a length above the limit gets 413 at once, and no 100 Continue."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(POST + b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % length)
        response = HTTPResponse(connection)
        response.begin()
        assert (response.status, response.headers["connection"]) == (413, "close")
        assert json.load(response)["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_expectation_of_a_body_within_the_limit_continues(address: tuple[str, int]) -> None:
    """A client that waits for 100 Continue gets it, and then the response."""
    body = b'{"query": "{ server { version } }"}'
    with socket.create_connection(address, timeout=30) as connection:
        head = b"connection: close\r\ncontent-length: %d\r\nexpect: 100-continue\r\n\r\n" % len(body)
        connection.sendall(POST + head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_small_unread_body_keeps_the_connection(address: tuple[str, int]) -> None:
    """A refused request with a small body leaves the connection open for the next one."""
    refused = b"POST /nothing HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n"
    probe = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    answer = exchange(address, refused, b"unread", b"---", probe)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"HTTP/1.1 200 " in answer


def test_refused_expectation_does_not_swallow_the_next_request(address: tuple[str, int]) -> None:
    """The connection is closed, since the client may or may not send the body that was refused."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(POST + b"content-length: 20000\r\nexpect: 100-continue\r\n\r\n")
        response = HTTPResponse(connection)
        response.begin()
        response.read()
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert response.status == 413
        assert connection.recv(65536) == b""


def test_endless_body_is_cut_off(address: tuple[str, int]) -> None:
    """What the server reads and discards is bounded: a client that never stops is disconnected."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(POST + b"transfer-encoding: chunked\r\n\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_chunks(connection, MEGABYTE, 1000)
