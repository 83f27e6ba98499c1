"""A headless Chromium that tests drive; it reaches the server under test and nothing else."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.support.databases import absent

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 60_000
"""Milliseconds that a page may take for anything; it takes a second or two on a quiet machine."""

expect.set_options(timeout=PATIENCE)


@dataclass
class Tab:
    """A page, and what must stay empty: what its console complained of, and whom else it tried to reach."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give the machine's Chromium; skip the test where there is none, and fail where CI must have it."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        absent("Chromium", FileNotFoundError(*_NAMES))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def tab(browser: Browser, *origins: str, width: int = 1400, height: int = 900) -> Iterator[Tab]:
    """Give an empty page of a new profile that may ask these origins alone."""
    allowed = {urlsplit(origin).netloc for origin in origins}
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE)
    opened = Tab(context.new_page())

    def let_through(route: Route) -> None:
        url = route.request.url
        if urlsplit(url).netloc in allowed or url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            opened.strangers.append(url)
            route.abort()

    context.route("**/*", let_through)
    opened.page.on(
        "console",
        lambda said: opened.complaints.append(said.text) if said.type in {"error", "warning"} else None,
    )
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    try:
        yield opened
    finally:
        context.close()
