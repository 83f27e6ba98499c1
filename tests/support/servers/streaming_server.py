"""An HTTP server in threads that streams large responses, each as fast as it is read."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


class StreamingServer(ThreadingHTTPServer):
    """Responds to each request with `part` again and again, `times` in all."""

    daemon_threads = True

    def __init__(self, part: bytes, times: int, *, compressed: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        # A compressed file may have several members, so that each part is one.
        self.part = gzip.compress(part, 1) if compressed else part
        self.times = times
        self.compressed = compressed
        self.sent = 0

    @property
    def uri(self) -> str:
        """Return the URL of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    @override
    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Ignore that clients leave before the end."""


class _Handler(BaseHTTPRequestHandler):
    server: StreamingServer

    def _respond(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if self.server.compressed:
            self.send_header("Content-Encoding", "gzip")
        # The end of the connection is the end of the response, so that nothing announces its length.
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(OSError):
            for _ in range(self.server.times):
                self.wfile.write(self.server.part)
                self.server.sent += len(self.server.part)

    do_GET = do_POST = _respond  # noqa: N815 - the names of the library

    @override
    def log_message(self, *_arguments: Any) -> None:
        """Log nothing."""


@contextmanager
def streaming_server(part: bytes, times: int, *, compressed: bool = False) -> Iterator[StreamingServer]:
    """Yield a server that runs in a thread."""
    server = StreamingServer(part, times, compressed=compressed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
