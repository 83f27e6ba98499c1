"""GraphiQL in a real browser that reaches only the server."""

import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Dialog, Page, Response, expect

from gql_server.auth.api_keys import new_key
from tests.support import stores
from tests.support.chromium import TIMEOUT_MS, Tab, open_tab
from tests.support.demo_store import Demo
from tests.support.document_strategies import SCHEMA
from tests.support.server_process import RunningServer, running_server
from tests.support.stores import copy_of

ROOT = Path(__file__).parents[3]
TOUR = sorted((ROOT / "frontend" / "src" / "tour").glob("*.graphql"))
NUMBERS = ["-2", "1e-05", "0.001", "0.003", "0.01", "0.1", "0.3", "2", "10", "inf"]
TEXTS = ["auto", "nan", "run 9", "run 10"]
NOTHING = re.compile(r'"(0{32}|Default|0)"|\[\]')
"""Values of variables for which the page found no run."""
# CI stores these; docs/graphiql.png is one of them.
SCREENSHOTS = ROOT / "build" / "screenshots"


def show(opened: Tab, server: RunningServer, **link: str) -> Page:
    """Open the page, and wait until its editor has read the schema."""
    with opened.page.expect_response(_is_introspection):
        opened.page.goto(f"{server.url}/graphql" + (f"?{urlencode(link)}" if link else ""))
    # The button has no effect before all editors exist.
    for editor in (".graphiql-query-editor", ".graphiql-editor-tool", ".result-window"):
        expect(opened.page.locator(f"{editor} .monaco-editor").first).to_be_attached()
    expect(opened.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    return opened.page


def run(page: Page) -> Any:
    """Click the button, and return the result that the server sent."""
    # Wait for the request rather than a response: one to the page's own queries may arrive first.
    with page.expect_request(lambda request: request.method == "POST") as request_info:
        # While a request is in progress the same button stops it, and has another label.
        page.get_by_label("Execute query").click()
    response = request_info.value.response()
    assert response
    result = response.json()
    # The result pane shows the result as text.
    expect(page.locator(".result-window")).to_contain_text('"data"')
    return result


def give_token(page: Page, token: str) -> None:
    """Enter a token in the header editor of the tab."""
    page.get_by_role("button", name="Headers", exact=True).click()
    page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)").first.click()
    page.keyboard.insert_text(json.dumps({"authorization": f"Bearer {token}"}))


def _is_introspection(response: Response) -> bool:
    return "__schema" in (response.request.post_data or "")


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
    page = show(opened, server)
    result = run(page)
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
    page = show(opened, server)
    tabs = page.locator(".graphiql-tab-button")
    assert len(TOUR) >= 12
    expect(tabs).to_have_count(len(TOUR))
    data: dict[str, Any] = {}
    for index in range(len(TOUR)):
        tabs.nth(index).click()
        result = run(page)
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
        page = show(opened, server)
        line = page.locator(".graphiql-query-editor .view-lines")
        expect(line).to_contain_text("as it is.")
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
        page = show(opened, server)
        run(page)
        expect(page.locator(".results canvas").first).to_be_visible()
        operation = page.locator(".graphiql-editors").bounding_box()
        result = page.locator(".graphiql-response").bounding_box()
        assert operation
        assert result
        assert result["y"] >= operation["y"] + operation["height"]
        assert result["width"] > 0.7 * width


def test_documentation_describes_root_fields(opened: Tab, server: RunningServer) -> None:
    """The documentation pane has a description of each root field."""
    page = show(opened, server)
    page.get_by_label("Show Documentation Explorer").click()
    page.locator(".graphiql-doc-explorer").get_by_role("link", name="Query", exact=True).click()
    shown = page.locator(".graphiql-doc-explorer-content")
    assert SCHEMA.query_type
    for name, field in SCHEMA.query_type.fields.items():
        expect(shown).to_contain_text(name)
        expect(shown).to_contain_text(field.description or "")


def test_table_sorts(opened: Tab, server: RunningServer) -> None:
    """Runs are also shown as a table, sorted up and down by the clicked column."""
    query = "{ runs(first: 30) { nodes { name metrics { key value } } } }"
    page = show(opened, server, query=query)
    run(page)
    table = page.locator(".results table")
    heading = table.get_by_role("button").first
    names = table.locator("tbody tr td:first-child")
    expect(names.first).to_be_visible()
    given = names.all_inner_texts()
    heading.click()
    rising = names.all_inner_texts()
    heading.click()
    falling = names.all_inner_texts()
    assert sorted(rising) == sorted(given)
    assert rising != given
    assert rising[0] == falling[-1]
    assert rising[-1] == falling[0]


def test_numbers_in_params_sort_as_numbers(browser: Browser, made: RunningServer) -> None:
    """Text that is a number sorts by its value, before other text; missing values are always last."""
    query = '{ runs(experimentNames: ["rates"]) { nodes { name params { key value } } } }'
    with open_tab(browser, made.url) as opened:
        page = show(opened, made, query=query)
        run(page)
        heading = page.locator(".results th button", has_text="params.rate")
        heading.click()
        assert column(page, "params.rate") == [*NUMBERS, *TEXTS, "", ""]
        heading.click()
        assert column(page, "params.rate") == [*reversed(NUMBERS), *reversed(TEXTS), "", ""]


def test_parent_and_experiment_have_own_columns(opened: Tab, server: RunningServer) -> None:
    """Params and tags of the parent and of the experiment have columns apart from those of the run."""
    query = """{ runs(filter: "attributes.run_name = 'refit'") { nodes { name
        tags(keys: ["mlflow.user"]) { key value } params(keys: ["steps"]) { key value }
        parent { name params(keys: ["steps"]) { key value } tags(keys: ["mlflow.runName"]) { key value } }
        experiment { tags(keys: ["team"]) { key value } } } } }"""
    page = show(opened, server, query=query)
    run(page)
    expect(page.locator(".results table")).to_have_count(1)
    assert column(page, "params.steps") == ["500"]
    assert column(page, "parent.params.steps") == ["200"]
    assert column(page, "tags.mlflow.user") == ["demo"]
    assert column(page, "parent.tags.mlflow.runName") == column(page, "parent.name")
    assert column(page, "experiment.tags.team") == ["shapes"]


def test_group_is_a_row(opened: Tab, server: RunningServer) -> None:
    """A group has one row: its keys, its count and its metric summaries."""
    query = """{ runGroups(experimentNames: ["moons-sweep"], groupBy: [{param: "lr"}, {attribute: STATUS}],
        metrics: ["val/loss"]) { key { name value } count metrics { key count min max } } }"""
    page = show(opened, server, query=query)
    groups = run(page)["data"]["runGroups"]
    expect(page.locator(".results table")).to_have_count(1)
    assert column(page, "count") == [str(group["count"]) for group in groups]
    assert column(page, "key.lr") == [group["key"][0]["value"] or "" for group in groups]
    assert set(column(page, "key.STATUS")) == {"FINISHED"}
    least = [group["metrics"][0]["min"] if group["metrics"] else None for group in groups]
    assert [float(cell) if cell else None for cell in column(page, "metrics.val/loss.min")] == least


def test_table_shows_selected_fields(opened: Tab, server: RunningServer) -> None:
    """Flat rows, tags of one experiment, steps, counts and non-finite numbers are shown."""
    query = """{ metricRows(experiment: "moons-sweep", first: 3) { runId key value }
        runs(filter: "params.lr = '10.0'") { nodes { name
            metrics(keys: ["loss"]) { key value nonFinite step } children { totalCount } } }
        experiment(name: "ridge-learning-rates") { name metricKeys tags { key value } } }"""
    page = show(opened, server, query=query)
    data = run(page)["data"]
    assert column(page, "runId") == [row["runId"] for row in data["metricRows"]]
    assert column(page, "metrics.loss", table=1) == ["NaN"]
    assert column(page, "metrics.loss.step", table=1) == ["299"]
    assert column(page, "children.totalCount", table=1) == ["0"]
    assert "team" in column(page, "key", table=2)
    assert set(column(page, "parent", table=2)) == {"ridge-learning-rates"}


def column(page: Page, name: str, table: int = 0) -> list[str]:
    """Return the displayed text of the cells of a column."""
    shown = page.locator(".results table").nth(table)
    expect(shown).to_be_visible()
    names = [text.strip(" ↑↓") for text in shown.locator("th").all_inner_texts()]
    return shown.locator(f"tbody td:nth-child({names.index(name) + 1})").all_inner_texts()


@pytest.fixture(scope="module")
def made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve a store with curves that have gaps, and with params that are numbers or other text."""
    uri = copy_of(sqlite_template, tmp_path_factory.mktemp("made") / "mlflow.db")
    with stores.opened("sqlite", uri) as store:
        rates = store.client.create_experiment("rates")
        for rate in sorted([*NUMBERS, *TEXTS, ""]):
            store.client.log_param(store.client.create_run(rates).info.run_id, "rate", rate)
        store.client.log_param(store.client.create_run(rates).info.run_id, "other", "1")
        # The runs log alternate steps, and one has NaN on both sides of a point.
        for name, first in (("broken", 0), ("steady", 1)):
            run_id = store.client.create_run("0", run_name=name).info.run_id
            for step in range(first, 40, 2):
                is_gap = name == "broken" and 12 <= step <= 26 and step != 20
                store.client.log_metric(run_id, "loss", math.nan if is_gap else 1.0 + first, step=step)
    with running_server("--tracking-uri", uri) as server:
        yield server


def test_curve_has_gaps_only_at_nan(browser: Browser, made: RunningServer) -> None:
    """No line crosses NaN, a single point is visible, and steps of other runs leave no gap."""
    query = """{ runs(experimentNames: ["Default"], orderBy: [{attribute: NAME}]) {
        nodes { name metrics { key series { steps values } } } } }"""
    with open_tab(browser, made.url) as opened:
        page = show(opened, made, query=query)
        run(page)
        expect(page.locator(".results canvas")).to_be_visible()
        expect(page.locator(".results .u-label")).to_have_text(["step", "broken", "steady"])
        before, after = _gaps(page, "#0072b2")
        assert 0.15 < after < before < 0.27
        assert _gaps(page, "#d55e00") == []


def _gaps(page: Page, colour: str) -> list[float]:
    """Return the widths of a curve's gaps as fractions of its width."""
    rgb = [*bytes.fromhex(colour[1:])]
    columns: list[bool] = page.locator(".results canvas").evaluate(
        """(canvas, rgb) => {
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const {width, height} = canvas;
            const ink = at =>
                data[at + 3] > 99 && rgb.every((part, of) => Math.abs(data[at + of] - part) < 40);
            const rows = [...Array(height).keys()];
            return [...Array(width).keys()].map(x => rows.some(y => ink(4 * (y * width + x))));
        }""",
        rgb,
    )
    drawn = [index for index, is_drawn in enumerate(columns) if is_drawn]
    width = drawn[-1] - drawn[0]
    return [(right - left) / width for left, right in pairwise(drawn) if right - left > 2]


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
    show(opened, server, query=f"query {allowed} {{ server {{ store }} }}")
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
    page = show(opened, server, query=query, variables=variables)
    expect(page.locator(".graphiql-editor-tool")).to_contain_text('"first"')
    expect(page.locator(".result-window")).not_to_contain_text("data")
    assert len(run(page)["data"]["experiments"]["nodes"]) == 1


def test_token_is_sent_and_not_stored(opened: Tab, server: RunningServer) -> None:
    """The headers in the editor are sent, and are not stored when the page closes."""
    page = show(opened, server, query="{ server { store } }")
    give_token(page, "a secret")
    with page.expect_request(lambda request: request.method == "POST") as request_info:
        page.get_by_label("Execute query").click()
    assert request_info.value.headers["authorization"] == "Bearer a secret"
    expect(page.locator(".result-window")).to_contain_text("SQL")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stored == '[{},{},""]'


def test_headers_apply_to_all_tabs(opened: Tab, server: RunningServer) -> None:
    """Headers in one tab apply to every tab without its own."""
    page = show(opened, server)
    give_token(page, "a secret")
    run(page)
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
        page = show(opened, server)
        # The result of the introspection, which the page sends twice.
        expect(page.locator(".result-window")).to_contain_text("UNAUTHENTICATED")
        give_token(page, key)
        with page.expect_response(lambda response: _is_introspection(response) and response.ok):
            run(page)
        tabs, variables = page.locator(".graphiql-tab-button"), page.locator(".graphiql-editor-tool")
        # A hidden editor contains no text.
        page.get_by_role("button", name="Variables", exact=True).click()
        for index in [*range(1, len(TOUR)), 1]:
            tabs.nth(index).click()
            for name in set(re.findall(r"\$(\w+):", TOUR[index].read_text())) - {"after"}:
                expect(variables).to_contain_text(f'"{name}"')
            expect(variables).not_to_contain_text(NOTHING)
            result = run(page)
            assert "errors" not in result, TOUR[index].name
            assert any(result["data"].values()), TOUR[index].name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_themes_are_readable(opened: Tab, server: RunningServer, theme: str) -> None:
    """The page uses the colour scheme of the system, and its charts are readable in both."""
    opened.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page = show(opened, server)
    run(page)
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
