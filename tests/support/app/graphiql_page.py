"""GraphiQL in a browser: open the page, execute an operation and enter a token."""

import json
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, Response, expect

from tests.support.servers.chromium import Tab
from tests.support.servers.server_process import RunningServer


def open_graphiql(opened: Tab, server: RunningServer, **link: str) -> Page:
    """Open the page, and wait until its editor has read the schema."""
    with opened.page.expect_response(is_introspection):
        opened.page.goto(f"{server.url}/graphql" + (f"?{urlencode(link)}" if link else ""))
    # The button has no effect before all editors exist.
    for editor in (".graphiql-query-editor", ".graphiql-editor-tool", ".result-window"):
        expect(opened.page.locator(f"{editor} .monaco-editor").first).to_be_attached()
    expect(opened.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    return opened.page


def execute(page: Page) -> Any:
    """Click the button, and return the result that the server sent."""
    # Wait for the request rather than a response: a response to a query of the page may arrive first.
    with page.expect_request(lambda request: request.method == "POST") as request_info:
        # While a request is in progress the same button stops it, and has another label.
        page.get_by_label("Execute query").click()
    response = request_info.value.response()
    assert response
    result = response.json()
    # The result pane shows the result as text.
    expect(page.locator(".result-window")).to_contain_text('"data"')
    return result


def enter_token(page: Page, token: str) -> None:
    """Enter a token in the header editor of the tab."""
    page.get_by_role("button", name="Headers", exact=True).click()
    page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)").first.click()
    page.keyboard.insert_text(json.dumps({"authorization": f"Bearer {token}"}))


def is_introspection(response: Response) -> bool:
    """Return whether a response is to an introspection query."""
    return "__schema" in (response.request.post_data or "")
