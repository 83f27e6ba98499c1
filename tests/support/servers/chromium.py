"""A headless Chromium whose pages may reach only the server under test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.support.requirements import skip_or_fail

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
TIMEOUT_MS = 60_000
"""Timeout of every wait for a page, in milliseconds; on an idle machine a wait takes a second or two."""

expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Tab:
    """A page, with the errors in its console and its requests to other hosts; both should be empty."""

    page: Page
    console_errors: list[str] = field(default_factory=list)
    blocked_requests: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield the installed Chromium; without one, skip the test, or fail it in CI."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        skip_or_fail("Chromium", FileNotFoundError())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_tab(browser: Browser, *origins: str, width: int = 1400, height: int = 900) -> Iterator[Tab]:
    """Yield an empty page of a new profile that may send requests only to these origins."""
    allowed = {urlsplit(origin).netloc for origin in origins}
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(TIMEOUT_MS)
    tab = Tab(context.new_page())

    def continue_or_abort(route: Route) -> None:
        url = route.request.url
        if urlsplit(url).netloc in allowed or url.startswith(("data:", "blob:")):
            route.continue_()
        else:
            tab.blocked_requests.append(url)
            route.abort()

    context.route("**/*", continue_or_abort)
    tab.page.on(
        "console",
        lambda message: (
            tab.console_errors.append(message.text) if message.type in {"error", "warning"} else None
        ),
    )
    tab.page.on("pageerror", lambda error: tab.console_errors.append(str(error)))
    try:
        yield tab
    finally:
        context.close()
