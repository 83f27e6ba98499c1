"""The examples of docs/live.md: a browser and a Python program that follow a run."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Queue
from typing import Any, Protocol

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.support.servers.chromium import TIMEOUT_MS
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.store import Store

_PAGE = Path(__file__).parents[3] / "docs/live.md"
_SECONDS = 60.0
"""More than any event takes."""


def _example(language: str) -> str:
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return str(code)


@pytest.fixture
def live_server(sqlite_store: Store) -> Iterator[RunningServer]:
    """Serve a store, which is read often for subscriptions."""
    with running_server("--tracking-uri", sqlite_store.uri, "--live-interval", "0.1") as server:
        yield server


class _Events(Protocol):
    """A queue of events."""

    def get(self, *, timeout: float) -> Any:
        """Return the next event; fail if there is none in this number of seconds."""


def _expect_training(store: Store, events: "_Events") -> None:
    """Train a run, and expect an event for each change."""

    def node() -> Any:
        event = events.get(timeout=_SECONDS)
        assert event["data"], event
        return event["data"]["runs"]["nodes"]

    assert node() == []
    run_id = store.client.create_run("0", run_name="a run").info.run_id
    run: dict[str, Any] = {"name": "a run", "status": "RUNNING", "metric": None}
    assert node() == [run]
    store.client.log_metric(run_id, "loss", 0.5, step=1)
    assert node() == [run | {"metric": {"value": 0.5, "step": 1}}]


def test_event_source_follows_a_run(
    browser: Browser, sqlite_store: Store, live_server: RunningServer
) -> None:
    """A browser's EventSource, which sends no header of GraphQL, reads the events of its own origin."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{live_server.url}/healthz")
        page.evaluate("() => { window.seen = []; console.log = (event) => window.seen.push(event); }")
        page.evaluate(_example("js"))
        _expect_training(sqlite_store, _Seen(page))


class _Seen:
    """The events that a page has seen, as a queue."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def get(self, *, timeout: float) -> Any:
        """Return the next event."""
        self._page.wait_for_function("window.seen.length > 0", timeout=timeout * 1000)
        return self._page.evaluate("window.seen.shift()")


def test_python_follows_a_run(sqlite_store: Store, live_server: RunningServer) -> None:
    """The program prints each event."""
    events: Queue[Any] = Queue()
    names = {"httpx": httpx, "json": json, "url": f"{live_server.url}/graphql", "print": events.put}

    def follow() -> None:
        # The stream ends with the server.
        with suppress(httpx.HTTPError):
            exec(_example("python"), names)  # noqa: S102 - the example of the page

    threading.Thread(target=follow, daemon=True).start()
    _expect_training(sqlite_store, events)
