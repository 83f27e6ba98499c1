"""The page of GraphiQL and its tour, in a real browser that reaches only the server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from gql_server.auth.api_keys import new_key
from tests.support.app.graphiql_page import enter_token, execute, is_introspection, open_graphiql
from tests.support.schema.document_strategies import SCHEMA
from tests.support.servers.chromium import TIMEOUT_MS, Tab, open_tab
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.demo_store import Demo

ROOT = Path(__file__).parents[3]
TOUR = sorted((ROOT / "frontend" / "src" / "tour").glob("*.graphql"))
NOTHING = re.compile(r'"(0{32}|Default|0)"|\[\]')
"""Values of variables for which the page found no run."""
# CI stores these; docs/graphiql.png is one of them.
SCREENSHOTS = ROOT / "build" / "screenshots"


def _drawn(page: Page) -> int:
    """Return the number of coloured pixels on the canvas of the first chart."""
    count: int = page.locator(".results canvas").first.evaluate(
        """canvas => {
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let found = 0;
            for (let at = 0; at < data.length; at += 4) {
                const rgb = data.slice(at, at + 3);
                found += data[at + 3] > 200 && Math.max(...rgb) - Math.min(...rgb) > 60;
            }
            return found;
        }"""
    )
    return count


def test_first_tour_operation_draws_curves(opened: Tab, server: RunningServer) -> None:
    """Running the first operation of the tour shows the result, and the curves of runs below it."""
    page = open_graphiql(opened, server)
    result = execute(page)
    assert "errors" not in result
    names = {run["name"] for run in result["data"]["runs"]["nodes"]}
    expect(page.locator(".results canvas").first).to_be_visible()
    legend = page.locator(".results .u-legend").first.locator(".u-series:not(:first-child) .u-label")
    assert set(legend.all_inner_texts()) <= names
    assert legend.count() > 1
    # Not by wait_for_function: it evaluates a string, which the page's policy forbids.
    page.evaluate("document.fonts.ready.then(() => null)")
    assert _drawn(page) > 100
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "graphiql.png")


def test_every_tour_operation_shows_data(opened: Tab, server: RunningServer) -> None:
    """Each operation of the tour finds data in the demo's store with its variables, and draws it."""
    page = open_graphiql(opened, server)
    tabs = page.locator(".graphiql-tab-button")
    assert len(TOUR) >= 12
    expect(tabs).to_have_count(len(TOUR))
    data: dict[str, Any] = {}
    for index in range(len(TOUR)):
        tabs.nth(index).click()
        result = execute(page)
        assert "errors" not in result, TOUR[index].name
        assert any(result["data"].values()), TOUR[index].name
        data |= {TOUR[index].stem.split("-", 1)[1]: next(iter(result["data"].values()))}
        expect(page.locator(".results")).to_be_visible()
        assert "[object" not in page.locator(".results").inner_text()
    _assert_telling(data)


def _assert_telling(data: dict[str, Any]) -> None:
    """Assert that the metric is one that many runs have, and that there are several values to compare."""
    best = [run["best"] for run in data["leaderboard"]["nodes"]]
    assert len(best) - best.count(None) >= 10
    curves = [run["metric"] for run in data["one-curve"]["nodes"]]
    assert sum(curve is not None and len(curve["series"]["steps"]) > 100 for curve in curves) >= 10
    assert sum(each["bestRun"] is not None for each in data["best-runs"]["nodes"]) >= 2
    assert len(data["side-by-side"]["runs"]) == 4
    assert all(None not in metric["values"] for metric in data["side-by-side"]["metrics"])
    assert sum(group["count"] > 1 for group in data["groups"]) >= 3
    assert any(run["children"]["totalCount"] > 10 for run in data["families"]["nodes"])
    assert any(len(metric["series"]["steps"]) > 100 for metric in data["one-run"]["metrics"])


@pytest.mark.parametrize("width", [1400, 800, 400])
def test_tour_lines_fit_the_editor(browser: Browser, server: RunningServer, width: int) -> None:
    """No line of an operation exceeds the editor, for any width of the window."""
    with open_tab(browser, server.url, width=width) as opened:
        page = open_graphiql(opened, server)
        line = page.locator(".graphiql-query-editor .view-lines")
        expect(line).to_contain_text("unchanged.")
        page.evaluate(
            """async timeout => {
                const fits = () => {
                    const editor = document.querySelector(".graphiql-query-editor .monaco-editor");
                    const edge = editor.getBoundingClientRect().right;
                    const texts = [...editor.querySelectorAll(".view-line > span")];
                    return texts.every(text => text.getBoundingClientRect().right <= edge);
                };
                const end = performance.now() + timeout;
                while (!fits()) {
                    if (performance.now() > end) throw new Error("a line goes on behind the edge");
                    await new Promise(resolve => setTimeout(resolve, 50));
                }
            }""",
            TIMEOUT_MS,
        )


@pytest.mark.parametrize("width", [800, 400])
def test_narrow_window_stacks_the_panes(browser: Browser, server: RunningServer, width: int) -> None:
    """In a narrow window the operation and the result both have the full width."""
    with open_tab(browser, server.url, width=width) as opened:
        page = open_graphiql(opened, server)
        execute(page)
        expect(page.locator(".results canvas").first).to_be_visible()
        operation = page.locator(".graphiql-editors").bounding_box()
        result = page.locator(".graphiql-response").bounding_box()
        assert operation
        assert result
        assert result["y"] >= operation["y"] + operation["height"]
        assert result["width"] > 0.7 * width


def test_documentation_describes_root_fields(opened: Tab, server: RunningServer) -> None:
    """The documentation pane has a description of each root field."""
    page = open_graphiql(opened, server)
    page.get_by_label("Show Documentation Explorer").click()
    page.locator(".graphiql-doc-explorer").get_by_role("link", name="Query", exact=True).click()
    shown = page.locator(".graphiql-doc-explorer-content")
    assert SCHEMA.query_type
    for name, field in SCHEMA.query_type.fields.items():
        expect(shown).to_contain_text(name)
        expect(shown).to_contain_text(field.description or "")


@pytest.mark.parametrize("allowed", ["clipboard", "selection", "nothing"])
def test_link_is_copied_or_shown(opened: Tab, server: RunningServer, allowed: str) -> None:
    """Without a clipboard, as over plain HTTP from another host, a link is copied otherwise, or shown."""
    shown: list[str] = []
    page = opened.page

    def accept(dialog: Dialog) -> None:
        shown.append(dialog.default_value)
        dialog.accept()

    page.on("dialog", accept)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    if allowed != "clipboard":
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})")
    if allowed == "nothing":
        page.add_init_script("document.execCommand = () => false")
    # The clipboard may contain the link of an earlier test, so each link is different.
    open_graphiql(opened, server, query=f"query {allowed} {{ server {{ store }} }}")
    page.get_by_label("Copy a link to this operation").click()
    link = f"{server.url}/graphql?query=query+{allowed}+%7B+server+%7B+store+%7D+%7D"
    if allowed == "nothing":
        assert shown == [link]
        return
    other = page.context.new_page()
    other.goto(f"{server.url}/healthz")
    other.bring_to_front()
    assert _copied(other, link) == link
    assert shown == []


def _copied(page: Page, expected: str) -> str:
    """Return the text of the clipboard once it is the expected one, or after the timeout."""
    text: str = page.evaluate(
        """async ([expected, timeout]) => {
            const end = performance.now() + timeout;
            for (;;) {
                const text = await navigator.clipboard.readText();
                if (text === expected || performance.now() > end) return text;
                await new Promise(resolve => setTimeout(resolve, 50));
            }
        }""",
        [expected, TIMEOUT_MS],
    )
    return text


def test_link_contains_the_operation(opened: Tab, server: RunningServer) -> None:
    """A link opens the page with its operation and variables in the first tab, without running it."""
    query = "query Linked($first: Int) { experiments(first: $first) { nodes { name } } }"
    variables = json.dumps({"first": 1})
    page = open_graphiql(opened, server, query=query, variables=variables)
    expect(page.locator(".graphiql-editor-tool")).to_contain_text('"first"')
    expect(page.locator(".result-window")).not_to_contain_text("data")
    assert len(execute(page)["data"]["experiments"]["nodes"]) == 1


def test_token_is_sent_and_not_stored(opened: Tab, server: RunningServer) -> None:
    """The headers in the editor are sent, and are not stored when the page closes."""
    page = open_graphiql(opened, server, query="{ server { store } }")
    enter_token(page, "a secret")
    with page.expect_request(lambda request: request.method == "POST") as request_info:
        page.get_by_label("Execute query").click()
    assert request_info.value.headers["authorization"] == "Bearer a secret"
    expect(page.locator(".result-window")).to_contain_text("SQL")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stored == '[{},{},""]'


def test_headers_apply_to_all_tabs(opened: Tab, server: RunningServer) -> None:
    """Headers in one tab apply to every tab without its own."""
    page = open_graphiql(opened, server)
    enter_token(page, "a secret")
    execute(page)
    page.locator(".graphiql-tab-button").nth(1).click()
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Leaderboard")
    with page.expect_request(lambda request: request.method == "POST") as request_info:
        page.get_by_label("Execute query").click()
    assert request_info.value.headers["authorization"] == "Bearer a secret"
    expect(page.locator(".result-window")).to_contain_text('"data"')


def test_tour_loads_after_a_token_is_given(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """A page that could not load the schema without a token loads it when a token is given."""
    key, line = new_key("reader", write=False)
    file = tmp_path / "keys"
    file.write_text(line + "\n")
    options = ("--directory", str(demo.directory), "--auth", "keys", "--api-keys-file", str(file))
    with running_server(*options, command="demo") as server, open_tab(browser, server.url) as opened:
        page = open_graphiql(opened, server)
        # The result of the introspection, which the page sends twice.
        expect(page.locator(".result-window")).to_contain_text("UNAUTHENTICATED")
        enter_token(page, key)
        with page.expect_response(lambda response: is_introspection(response) and response.ok):
            execute(page)
        tabs, variables = page.locator(".graphiql-tab-button"), page.locator(".graphiql-editor-tool")
        # A hidden editor contains no text.
        page.get_by_role("button", name="Variables", exact=True).click()
        for index in [*range(1, len(TOUR)), 1]:
            tabs.nth(index).click()
            for name in set(re.findall(r"\$(\w+):", TOUR[index].read_text())) - {"after"}:
                expect(variables).to_contain_text(f'"{name}"')
            expect(variables).not_to_contain_text(NOTHING)
            result = execute(page)
            assert "errors" not in result, TOUR[index].name
            assert any(result["data"].values()), TOUR[index].name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_are_readable(opened: Tab, server: RunningServer, theme: str) -> None:
    """The page uses the colour scheme of the system, and its charts are readable in both."""
    opened.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page = open_graphiql(opened, server)
    execute(page)
    expect(page.locator(".results canvas").first).to_be_visible()
    background = _style(page, ".graphiql-container", "backgroundColor")
    ink = _style(page, ".results figcaption", "color")
    assert _lightness(background) > 128 if theme == "light" else _lightness(background) < 128
    assert abs(_lightness(background) - _lightness(ink)) > 90


def _style(page: Page, selector: str, name: str) -> str:
    value: str = page.locator(selector).first.evaluate(f"node => getComputedStyle(node).{name}")
    return value


def _lightness(colour: str) -> float:
    numbers = [float(part) for part in colour[colour.index("(") + 1 :].rstrip(")").split(",")[:3]]
    return sum(numbers) / 3
