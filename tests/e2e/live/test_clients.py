"""The npm packages graphql-ws and graphql-sse, unmodified in Node."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gql_server.http.parsers.websocket_protocol import BoundedWebSocketProtocol
from tests.support.app.scripted_events import ScriptedEvents
from tests.support.app.small_app import SmallApp
from tests.support.servers.npm import install
from tests.support.servers.served_app import served_app

HERE = Path(__file__).parent
CLIENTS = {"graphql-ws": "ws", "graphql-sse": "http"}
"""The clients, and the schemes of their URLs."""
TICKS = "subscription { ticks }"
TICK = b'{"data":{"ticks":1}}'


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the clients."""
    folder = tmp_path_factory.mktemp("live")
    for name in ("package.json", "package-lock.json", "client.js"):
        shutil.copy(HERE / name, folder)
    install(folder)
    return folder


@contextmanager
def running_client(packages: Path, app: SmallApp, client: str, query: str) -> Iterator[Iterator[Any]]:
    """Run an operation with a client, and yield its results as they come."""
    with served_app(app.app, ws=BoundedWebSocketProtocol) as (host, port):
        url = f"{CLIENTS[client]}://{host}:{port}/"
        command = ["node", "client.js", client, url, query]
        with subprocess.Popen(command, cwd=packages, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield (json.loads(line) for line in process.stdout or ())
            finally:
                process.kill()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("client", CLIENTS)
def test_results_arrive(packages: Path, client: str) -> None:
    """A client receives each result of a subscription and of a query, then the end."""
    app = SmallApp(events=ScriptedEvents(TICK, TICK))
    with running_client(packages, app, client, TICKS) as results:
        assert list(results) == [json.loads(TICK)] * 2
    query = "{ __schema { queryType { name } } }"
    with running_client(packages, SmallApp(), client, query) as results:
        assert list(results) == [{"data": {"__schema": {"queryType": {"name": "Query"}}}}]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("client", CLIENTS)
def test_errors_arrive(packages: Path, client: str) -> None:
    """A client receives the errors of an invalid document with their codes."""
    with running_client(packages, SmallApp(), client, "{ unknown }") as results:
        assert "GRAPHQL_VALIDATION_FAILED" in str(list(results))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_connect_again(packages: Path, client: str) -> None:
    """A client whose connection the server ends connects again and goes on."""
    events = ScriptedEvents(TICK, waits=True)
    app = SmallApp(events=events)
    with running_client(packages, app, client, TICKS) as results:
        assert next(results) == json.loads(TICK)
        events.waits = False
        (loop,) = events.loops
        loop.call_soon_threadsafe(app.connections.end_all)
        assert list(results) == [json.loads(TICK)]
    assert len(events.requests) == 2
    assert len(app.connections) == 0


def test_lock_has_no_urls() -> None:
    """The lock has only versions and checksums: each machine configures where it gets packages."""
    text = (HERE / "package-lock.json").read_text()
    assert "://" not in text
    assert '"resolved"' not in text
    assert text.count('"integrity"') == len(json.loads(text)["packages"]) - 1
