"""What the server reads of a request, over sockets, with either parser."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gql_server.app import create_app
from gql_server.auth.api_keys import new_key
from gql_server.config.settings import Settings
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.servers.served_app import PARSERS, Address, exchange, served_app

BODY = b'{"query": "{ server { version } }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
MEGABYTE = 1_000_000


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> str:
    """Return the name of a parser."""
    return str(request.param)


@pytest.fixture
def address(parser: str, tracking: MemoryTracking) -> Iterator[Address]:
    """Serve the application, which accepts GET with a header that needs a preflight only."""
    settings = Settings(tracking_uri="unused:", get_needs_header=True)
    with served_app(create_app(settings, tracking), http=PARSERS[parser]) as served:
        yield served


def status_and_content(answer: bytes) -> tuple[int, Any]:
    """Return the status and the JSON of a response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def status_and_code(answer: bytes) -> tuple[int, str]:
    """Return the status of a response and the code of its error."""
    status, content = status_and_content(answer)
    return status, content["errors"][0]["extensions"]["code"]


def test_trailers_do_not_authenticate(parser: str, tracking: MemoryTracking, tmp_path: Path) -> None:
    """An API key in a trailer is not one, also if all of the request arrives at once."""
    key, line = new_key("alice", write=False)
    keys = tmp_path / "keys.txt"
    keys.write_text(line)
    settings = Settings(
        tracking_uri="unused:", auth="keys", api_keys_file=str(keys), auth_failure_seconds=0.001
    )
    trailer = f"x-api-key: {key}\r\n".encode()
    with served_app(create_app(settings, tracking), http=PARSERS[parser]) as address:
        in_trailer = exchange(address, CHUNKED + b"\r\n" + CHUNK + b"0\r\n" + trailer + b"\r\n")
        in_header = exchange(address, CHUNKED + trailer + b"\r\n" + CHUNK + b"0\r\n\r\n")
    assert status_and_code(in_trailer) == (401, "UNAUTHENTICATED")
    assert status_and_content(in_header)[0] == 200


@pytest.mark.parametrize(
    "trailer", [b"apollo-require-preflight: x", b"sec-fetch-site: same-origin", b"origin: http://localhost"]
)
def test_trailers_do_not_pass_the_check_of_origins(address: Address, trailer: bytes) -> None:
    """A page of another site cannot prove a preflight by a trailer."""
    head = CHUNKED.replace(b"POST", b"GET").replace(b"/graphql", b"/graphql?query=%7B__typename%7D")
    answer = exchange(address, head + b"\r\n0\r\n" + trailer + b"\r\n\r\n")
    assert status_and_code(answer) == (403, "FORBIDDEN")


def test_short_trailers_are_dropped(address: Address) -> None:
    """A request with trailers is executed, and its trailers do not replace its headers."""
    trailers = b"content-type: text/plain\r\nhost: attacker.example\r\n\r\n"
    answer = exchange(address, CHUNKED + b"\r\n" + CHUNK + b"0\r\n" + trailers)
    assert status_and_content(answer)[0] == 200


def chunked(body: bytes, length: int) -> bytes:
    """Return a body in chunks of a length, of which the last can be shorter."""
    parts = [body[start : start + length] for start in range(0, len(body), length)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("length", [1, 12])
def test_many_small_chunks_are_refused(address: Address, length: int) -> None:
    """A body of the largest size in small chunks is refused after the first thousands of them."""
    body = BODY.ljust(MEGABYTE)
    with socket.create_connection(address, timeout=30) as connection:
        # The server may stop to read before all is sent.
        with suppress(OSError):
            connection.sendall(CHUNKED + b"\r\n" + chunked(body, length))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_and_code(answer) == (413, "LIMIT_EXCEEDED")
    assert "16 bytes" in answer.decode()


@pytest.mark.parametrize(
    ("size", "length"), [(9_999, 1), (100_000, 10), (MEGABYTE, 16), (MEGABYTE, MEGABYTE)]
)
def test_chunks_of_other_bodies_are_read(address: Address, size: int, length: int) -> None:
    """A short body may have small chunks, one of any size chunks of 16 bytes; each body counts by itself."""
    body = BODY.ljust(size)
    kept_open = CHUNKED.replace(b"connection: close\r\n", b"") + b"\r\n" + chunked(body, length)
    answer = exchange(address, kept_open, CHUNKED + b"\r\n" + chunked(body, length))
    assert answer.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("line", [b"a: b\r\n" * 1000, b"a" * 6000, b"a: " + b"b" * 6000])
def test_endless_trailers_are_refused(address: Address, line: bytes) -> None:
    """Trailers have the bound of headers, whether they are many or one that does not end."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(CHUNKED + b"\r\n" + CHUNK + b"0\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_repeatedly(connection, line, 100_000)


@pytest.mark.parametrize(
    ("start", "line", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n", b"a: b\r\n" * 1000, 431),
        (b"GET /healthz HTTP/1.1\r\n", b"a" * 6000, 431),
        (b"GET /healthz HTTP/1.1\r\na: ", b"b" * 6000, 431),
        (b"GET /healthz?", b"b" * 6000, 414),
        (b"GET /", b"b" * 6000, 414),
    ],
)
def test_endless_head_is_refused(address: Address, start: bytes, line: bytes, status: int) -> None:
    """Headers and a URL that do not end are refused in JSON after some kilobytes, and not stored."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(start)
        send_repeatedly(connection, line, 100)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_and_code(answer) == (status, "LIMIT_EXCEEDED")


@pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 140_000, 300_000, 5 * MEGABYTE])
@pytest.mark.parametrize("path", [b"/", b"/graphql?query=", b"/tables/runs.csv?filter="])
def test_long_url_gets_414_in_json(address: Address, size: int, path: bytes) -> None:
    """A URL beyond 65,535 bytes gets 414 in JSON, and one of less reaches its route."""
    url = path + b"x" * (size - len(path))
    head = b"GET " + url + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    status, code = status_and_code(exchange(address, head))
    if size > 65_535:
        assert (status, code) == (414, "LIMIT_EXCEEDED")
    else:
        assert status != 414


@pytest.mark.parametrize("size", [65_000, 70_000, 140_000, 300_000])
def test_large_headers_get_431_in_json(address: Address, size: int) -> None:
    """Headers beyond 65,536 bytes get 431 in JSON at every size."""
    head = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: " + b"x" * size
    answer = exchange(address, head + b"\r\n\r\n")
    if size > 65_536:
        assert status_and_code(answer) == (431, "LIMIT_EXCEEDED")
    else:
        assert status_and_content(answer)[0] == 200


@pytest.mark.parametrize(
    ("codings", "status"),
    [
        (b"transfer-encoding: gzip, chunked\r\n", 501),
        (b"transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", 501),
        (b"transfer-encoding: identity, chunked\r\n", 501),
        (b"transfer-encoding: chunked, chunked\r\n", 501),
        (b"transfer-encoding: Chunked\r\n", 200),
        (b"transfer-encoding: chunked\r\n", 200),
    ],
)
def test_other_transfer_codings_are_refused(address: Address, codings: bytes, status: int) -> None:
    """A body in another coding than chunked is not read as if it were plain."""
    answer = exchange(address, HEAD + codings + b"\r\n" + CHUNK + b"0\r\n\r\n")
    # A parser may refuse what is not valid by 400.
    assert status_and_content(answer)[0] in ({status, 400} if status == 501 else {status})


def test_gzip_before_chunked_gets_501(address: Address) -> None:
    """The codings that RFC 9112 allows and this server does not know get its status."""
    answer = exchange(address, HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n" + CHUNK + b"0\r\n\r\n")
    assert status_and_code(answer) == (501, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "head",
    [
        CHUNKED + b"content-length: 5\r\n",
        CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_ambiguous_end_of_a_body_is_refused(address: Address, head: bytes) -> None:
    """A body of which two servers can see different ends is refused."""
    answer = exchange(address, head + b"\r\n" + CHUNK + b"0\r\n\r\n")
    assert status_and_code(answer) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\na\x00: b\r\n\r\n",
        CHUNKED + b"\r\nnot hexadecimal\r\n",
        HEAD + b"content-length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n" + b"x" * MEGABYTE,
    ],
)
def test_malformed_request_gets_400_in_json(address: Address, request_: bytes) -> None:
    """What is not HTTP gets 400 in JSON, also if the client sends more before it reads."""
    answer = exchange(address, request_)
    assert status_and_code(answer) == (400, "BAD_USER_INPUT")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_malformed_second_request_does_not_spoil_the_first_response(address: Address) -> None:
    """A malformed request in a pipeline gets no response that is taken for that of the request before."""
    first = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
    answer = exchange(address, first + b"nonsense\r\n\r\n")
    assert not answer or answer.startswith(b"HTTP/1.1 200 ")


def test_application_notices_a_malformed_body(parser: str) -> None:
    """The application sees a disconnect, and does not wait for the rest of the body."""
    messages: list[str] = []

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while not messages or messages[-1] != "http.disconnect":
            messages.append((await receive())["type"])

    with served_app(app, http=PARSERS[parser], lifespan="off") as address:
        answer = exchange(address, CHUNKED + b"\r\n" + CHUNK, b"not hexadecimal\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert messages[-1] == "http.disconnect"


def send_repeatedly(connection: socket.socket, content: bytes, times: int) -> None:
    """Send the same bytes many times."""
    for _ in range(times):
        connection.sendall(content)
