"""Requests of pages of other origins, sent by a real browser with the headers of common libraries."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from tests.support.app.uploads import new_run
from tests.support.servers.chromium import TIMEOUT_MS
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store

LIBRARIES = {
    "apollo": {
        "apollographql-client-name": "dashboard",
        "apollographql-client-version": "1.0",
        "apollo-require-preflight": "true",
    },
    "sentry": {
        "sentry-trace": "771a43a4192642f0b136d5159a501700-7bb6cd8bcf0a49ae-1",
        "baggage": "sentry-environment=production,sentry-release=1.0",
    },
    "w3c": {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=value",
    },
    "xhr": {"x-requested-with": "XMLHttpRequest"},
}
EVERY_LIBRARY = {name: value for headers in LIBRARIES.values() for name, value in headers.items()}
JSON = {"content-type": "application/json"}
POST = {"method": "POST", "body": '{"query": "{ server { readOnly } }"}'}
FETCH = """
async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        return {
            status: response.status,
            type: response.type,
            headers: Object.fromEntries(response.headers),
            text: await response.text(),
        };
    } catch (error) {
        return {error: String(error)};
    }
}
"""


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Return an empty page, the icon included."""
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Site(NamedTuple):
    """A server, a run of its store with an artifact, and pages of an allowed and of another origin."""

    url: str
    run: str
    allowed: Page
    foreign: Page

    def fetch(self, page: Page, path: str, **options: Any) -> Any:
        """Send a request from a page, and return what its script can read of the response, or the error."""
        return page.evaluate(FETCH, [self.url + path, options])


@contextmanager
def empty_pages() -> Iterator[str]:
    """Serve empty pages, and yield their origin, which is of another site than a server on 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{served.server_port}"
        served.shutdown()
        thread.join()


@contextmanager
def open_page(browser: Browser, origin: str) -> Iterator[Page]:
    """Open a page whose requests Playwright does not intercept, since it would accept all preflights."""
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(origin)
        yield page


@pytest.fixture
def site(browser: Browser, sqlite_store: Store, tmp_path: Path) -> Iterator[Site]:
    """Serve a store with a run to pages of one origin, and open a page of that and of another."""
    run = new_run(sqlite_store, tmp_path)
    sqlite_store.client.log_text(run, "0123456789", "digits.txt")
    with (
        empty_pages() as origin,
        empty_pages() as other,
        open_page(browser, origin) as allowed,
        open_page(browser, other) as foreign,
        running_server(
            "--tracking-uri", sqlite_store.uri, "--allowed-origins", origin, "--writable"
        ) as server,
    ):
        yield Site(server.url, run, allowed, foreign)


def test_allowed_page_sends_the_headers_of_libraries(site: Site) -> None:
    """A page of an allowed origin reads the response to a POST with the headers of each library."""
    for headers in (*LIBRARIES.values(), EVERY_LIBRARY):
        answer = site.fetch(site.allowed, "/graphql", **POST, headers=JSON | headers)
        assert answer["text"] == '{"data":{"server":{"readOnly":false}}}', (headers, answer)


def test_allowed_page_reads_ranges(site: Site) -> None:
    """A page of an allowed origin reads the end of a table and of an artifact, and its place."""
    for path in ("/tables/runs.csv", f"/artifacts/{site.run}/digits.txt"):
        whole = site.fetch(site.allowed, path, headers=EVERY_LIBRARY)
        end = site.fetch(site.allowed, path, headers=EVERY_LIBRARY | {"range": "bytes=-4"})
        size = len(whole["text"].encode())
        assert (end["status"], end["text"]) == (206, whole["text"][-4:])
        assert end["headers"]["content-range"] == f"bytes {size - 4}-{size - 1}/{size}"
        head = site.fetch(site.allowed, path, method="HEAD", headers=EVERY_LIBRARY)
        assert (head["status"], head["headers"]["content-length"]) == (200, str(size))
        assert head["headers"]["etag"] == end["headers"]["etag"]


def test_allowed_page_uploads(site: Site) -> None:
    """A page of an allowed origin uploads a file to a writable server."""
    path = f"/artifacts/{site.run}/uploaded.txt"
    answer = site.fetch(site.allowed, path, method="PUT", headers=EVERY_LIBRARY, body="content")
    assert answer["status"] == 201
    assert site.fetch(site.allowed, path)["text"] == "content"


def test_allowed_page_reads_errors(site: Site) -> None:
    """A page of an allowed origin reads the status and the code of an error, whatever refuses the request."""
    large = POST | {"headers": JSON, "body": " " * 1_100_000}
    for path, options, status, code in (
        ("/graphql", {"method": "POST", "body": "{}"}, 415, "BAD_USER_INPUT"),
        ("/graphql", large, 413, "BAD_USER_INPUT"),
        (f"/artifacts/{site.run}/absent", {}, 404, "NOT_FOUND"),
        ("/tables/absent.csv", {}, 404, "NOT_FOUND"),
        ("/absent", {}, 404, "NOT_FOUND"),
        ("/tables/runs.csv", {"headers": {"x-large": "x" * 70_000}}, 431, "LIMIT_EXCEEDED"),
    ):
        answer = site.fetch(site.allowed, path, **options)
        assert (answer["status"], f'"{code}"' in answer["text"]) == (status, True), (path, answer)


def test_other_page_reads_nothing(site: Site) -> None:
    """A page of another origin reads no response and changes nothing, with a preflight and without one."""
    artifact = f"/artifacts/{site.run}/digits.txt"
    for path, options in (
        ("/graphql", POST | {"headers": JSON}),
        ("/graphql", POST | {"headers": EVERY_LIBRARY}),
        ("/graphql", POST),
        ("/graphql?query=%7Bserver%7BreadOnly%7D%7D", {}),
        ("/tables/runs.csv", {"headers": {"range": "bytes=-4"}}),
        ("/tables/runs.csv", {}),
        (artifact, {"headers": {"range": "bytes=-4"}}),
        (artifact, {}),
        (f"/artifacts/{site.run}/foreign.txt", {"method": "PUT", "body": "content"}),
    ):
        assert site.fetch(site.foreign, path, **options) == {"error": "TypeError: Failed to fetch"}, path
    opaque = site.fetch(site.foreign, "/graphql", mode="no-cors", **POST)
    assert (opaque["type"], opaque["status"], opaque["text"]) == ("opaque", 0, "")
    assert site.fetch(site.allowed, f"/artifacts/{site.run}/foreign.txt")["status"] == 404
