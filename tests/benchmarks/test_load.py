"""The clients that measure throughput."""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import throughput


class _Echo(BaseHTTPRequestHandler):
    """Responds with the body of the request, in two parts; `null` fails."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(500 if body == b"null" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1])
        self.wfile.flush()
        self.wfile.write(body[1:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Return a server that keeps the bodies of its requests."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        server.bodies = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_each_body_is_sent_once_before_the_measurement(server: ThreadingHTTPServer) -> None:
    """Then they are sent in turn, at least twenty of them."""
    bodies = [{"body": {"text": "x" * size}, "headers": {}} for size in (1, 10, 100_000)]
    measured = throughput(server.server_port, bodies, 1, 0.0)
    received = [len(body["text"]) for body in server.bodies]  # type: ignore[attr-defined]
    assert received == ([1, 10, 100_000] * 8)[:23]
    assert measured.per_second > 0
    assert measured.p50 <= measured.p99


def test_an_error_ends_the_measurement(server: ThreadingHTTPServer) -> None:
    """A fast error would look like a fast server."""
    with pytest.raises(subprocess.CalledProcessError):
        throughput(server.server_port, [{"body": None, "headers": {}}], 2, 0.0)
