"""An HTTP or HTTPS server on loopback."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JsonHandler(BaseHTTPRequestHandler):
    """A handler of requests that logs nothing and responds with JSON."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a response with a body of JSON."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A store sends one request per thread at once; with the default of 5, the sixth waits a second.
    request_queue_size = 128


@contextmanager
def serve(handler: Any, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve requests with a handler, over TLS if there is a context; yield the host and port."""
    with _Server(("127.0.0.1", 0), handler) as server:
        if context is not None:
            # Each connection's thread does the handshake.
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
