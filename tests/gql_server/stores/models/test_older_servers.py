"""Servers without logged models or a registry, such as MLflow before 3 or Azure ML."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

UNKNOWN = ("logged-models", "registered-models", "model-versions")
QUERY = """query ($id: ID!) {
  run(runId: $id) { name loggedModels { name } modelVersions { version } datasets { name } }
  experiment(experimentId: "0") { loggedModels { totalCount nodes { name } } }
  node(id: "TG9nZ2VkTW9kZWw6bS0x") { id }
  registeredModels { totalCount nodes { name } }
  registeredModel(name: "net") { name }
  modelVersion(name: "net", version: "1") { version }
}"""


@pytest.fixture
def older_server(server_store: Store) -> Iterator[str]:
    """Give the address of a proxy for an MLflow server without logged models and registry."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._forward("GET")

        def do_POST(self) -> None:
            self._forward("POST")

        def log_message(self, *_: Any) -> None:
            """Write no log."""

        def _forward(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if any(
                unknown in self.path for unknown in ("logged-models", "registered-models", "model-versions")
            ):
                self._reply(404, "text/html", b"<h1>Not Found</h1>")
                return
            headers = {"content-type": "application/json"}
            response = requests.request(
                method, f"{server_store.uri}{self.path}", data=body, headers=headers, timeout=60
            )
            self._reply(response.status_code, response.headers["content-type"], response.content)

        def _reply(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    serving.join()
    server.server_close()


async def test_missing_features_return_empty_lists(older_server: str, server_store: Store) -> None:
    """Objects that the server has no endpoint for are not returned; the rest of the result is."""
    run_id = server_store.client.create_run("0", run_name="one").info.run_id
    async with graphql_client(older_server) as served:
        result = await served.data(QUERY, id=run_id)
    assert result == {
        "run": {"name": "one", "loggedModels": [], "modelVersions": [], "datasets": []},
        "experiment": {"loggedModels": {"totalCount": 0, "nodes": []}},
        "node": None,
        "registeredModels": {"totalCount": 0, "nodes": []},
        "registeredModel": None,
        "modelVersion": None,
    }
