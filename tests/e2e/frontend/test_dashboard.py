"""The example app, type-checked, built, and driven in a browser from its own origin."""

import fcntl
import os
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.servers.chromium import Tab, open_tab
from tests.support.servers.npm import install, npm
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo

# The first test of a fresh clone installs 320 packages and builds the app.
pytestmark = pytest.mark.timeout(900)

DASHBOARD = Path(__file__).parents[3] / "examples" / "dashboard"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def _alone() -> Iterator[None]:
    """Lock the app's folder, since each worker installs and builds the app for its own server."""
    folder = os.open(DASHBOARD, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@pytest.fixture(scope="module")
def site(_alone: None) -> Iterator[tuple[str, Path]]:
    """Give an origin for the app and the folder that it serves, which is empty at first."""
    folder = DASHBOARD / "dist"
    folder.mkdir(exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", folder
        served.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(demo: Demo, site: tuple[str, Path]) -> Iterator[RunningServer]:
    """Serve the demo's store to pages of the origin of the app."""
    options = ("--directory", str(demo.directory), "--allowed-origins", site[0])
    with running_server(*options, command="demo") as server:
        yield server


@pytest.fixture(scope="module")
def app(site: tuple[str, Path], server: RunningServer) -> str:
    """Generate and check the types, build the app for the server, and return its URL."""
    install(DASHBOARD)
    done = npm(DASHBOARD, "run", "build", VITE_GRAPHQL_URL=f"{server.url}/graphql")
    assert done.returncode == 0, done.stdout + done.stderr
    return site[0]


@pytest.fixture
def opened(browser: Browser, server: RunningServer, app: str) -> Iterator[Tab]:
    """Give the open app, which may reach only its own origin and that of the server."""
    with open_tab(browser, app, server.url) as opened:
        opened.page.goto(app)
        yield opened
        assert opened.blocked_requests == []
        assert opened.console_errors == []


def _names(rows: Locator) -> list[str]:
    return [row.split("\t")[1] for row in rows.all_inner_texts()]


def test_dashboard_shows_runs_and_curves(opened: Tab) -> None:
    """A user selects an experiment, sorts and pages its runs, and sees the curves of selected runs."""
    page = opened.page
    page.get_by_role("button", name=re.compile("spirals-mlp")).click()
    page.get_by_label("Metric").select_option("val/loss")
    rows = page.locator("tbody tr")
    counted = page.locator("section span")
    expect(counted).to_have_text(re.compile(r"1 to 5 of \d+"))
    first = _names(rows)
    page.get_by_role("button", name="Next").click()
    expect(counted).to_have_text(re.compile(r"6 to \d+ of \d+"))
    assert not set(first) & set(_names(rows))
    page.get_by_role("button", name="Back").click()
    expect(counted).to_have_text(re.compile(r"1 to 5 of"))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Run")
    expect(counted).to_be_visible()
    assert _names(rows) == sorted(_names(rows))
    # Of the first runs by name, only these two logged the metric.
    drawn = {"tanh-16", "tanh-24"}
    for name in drawn:
        page.get_by_label(f"Draw {name}").check()
    expect(page.locator(".chart canvas")).to_be_visible()
    labels = page.locator(".u-series:not(:first-child) .u-label")
    expect(labels).to_have_count(2)
    assert set(labels.all_inner_texts()) == drawn


def test_runs_without_the_metric_are_reported(opened: Tab) -> None:
    """The metric of most runs is shown first; the page reports selected runs that do not have it."""
    page = opened.page
    page.get_by_role("button", name=re.compile("moons-sweep")).click()
    expect(page.get_by_label("Metric")).to_have_value("train/loss")
    page.get_by_label("Draw refit").check()
    expect(page.locator(".chart canvas")).to_be_visible()
    page.get_by_label("Metric").select_option("best/f1 score")
    expect(page.get_by_text("None of these runs has logged best/f1 score.")).to_be_visible()


def test_unlisted_origin_is_refused(browser: Browser, server: RunningServer, app: str) -> None:
    """The app on an origin that the server does not list gets no data, and reports it."""
    elsewhere = app.replace("127.0.0.1", "localhost")
    with open_tab(browser, elsewhere, server.url) as opened:
        with opened.page.expect_console_message(
            lambda message: message.type == "error" and "CORS" in message.text
        ):
            opened.page.goto(elsewhere)
        expect(opened.page.get_by_role("alert")).to_be_visible()
