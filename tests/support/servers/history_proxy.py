"""A proxy of an MLflow server that can replace the response of the bulk endpoint for histories."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

JSON = "application/json"


class HistoryProxy:
    """A proxy of an MLflow server that counts requests and can replace the bulk endpoint's response."""

    def __init__(self) -> None:
        self.uri = ""
        self.connections = 0
        self.response: tuple[int, str, bytes] | None = None
        self.requests: Counter[str] = Counter()
        self.lock = threading.Lock()


@contextmanager
def serve_history_proxy(upstream: str) -> Iterator[HistoryProxy]:
    """Serve a proxy of the MLflow server `upstream` on loopback."""
    proxy = HistoryProxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            with proxy.lock:
                proxy.connections += 1
            super().setup()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            # Incrementing a Counter is not atomic.
            with proxy.lock:
                proxy.requests[path] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if path.endswith("/get-history-bulk") and proxy.response is not None:
                self._respond(*proxy.response)
                return
            headers = {"Content-Type": self.headers.get("Content-Type", JSON)}
            with requests.request(
                self.command, upstream + self.path, data=body, headers=headers, timeout=30
            ) as upstream_response:
                self._respond(
                    upstream_response.status_code,
                    upstream_response.headers["Content-Type"],
                    upstream_response.content,
                )

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def log_message(self, *_: Any) -> None:
            pass

        def _respond(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy.uri = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
