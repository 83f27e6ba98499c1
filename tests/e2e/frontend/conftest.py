"""A browser and a server over the demo's store, shared by a module's tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.servers.chromium import Tab, chromium, open_tab
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give the machine's Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[RunningServer]:
    """Serve the demo's store as `make demo` does."""
    with running_server("--directory", str(demo.directory), command="demo") as server:
        yield server


@pytest.fixture
def opened(browser: Browser, server: RunningServer) -> Iterator[Tab]:
    """Give an empty page that may reach only the server; it must log no errors and contact no other host."""
    with open_tab(browser, server.url) as opened:
        yield opened
        assert opened.blocked_requests == []
        assert opened.console_errors == []
