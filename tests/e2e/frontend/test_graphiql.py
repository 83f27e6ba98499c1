"""GraphiQL in a real browser that reaches nothing but the server."""

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
from tests.support.chromium import PATIENCE, Tab, tab
from tests.support.demo_store import Demo
from tests.support.document_strategies import SCHEMA
from tests.support.server_process import RunningServer, running_server
from tests.support.stores import copy_of

ROOT = Path(__file__).parents[3]
TOUR = sorted((ROOT / "frontend" / "src" / "tour").glob("*.graphql"))
NUMBERS = ["-2", "1e-05", "0.001", "0.003", "0.01", "0.1", "0.3", "2", "10", "inf"]
TEXTS = ["auto", "nan", "run 9", "run 10"]
NOTHING = re.compile(r'"(0{32}|Default|0)"|\[\]')
"""What variables have where the page knows of no run."""
# Kept as an artifact of the run; docs/graphiql.png is one of them.
SCREENSHOTS = ROOT / "build" / "screenshots"


def show(opened: Tab, server: RunningServer, **link: str) -> Page:
    """Open the page, and wait until its editor has read the schema."""
    with opened.page.expect_response(_is_introspection):
        opened.page.goto(f"{server.url}/graphql" + (f"?{urlencode(link)}" if link else ""))
    # The button does nothing before all editors are there.
    for editor in (".graphiql-query-editor", ".graphiql-editor-tool", ".result-window"):
        expect(opened.page.locator(f"{editor} .monaco-editor").first).to_be_attached()
    expect(opened.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    return opened.page


def run(page: Page) -> Any:
    """Press the button, and return what the server answered."""
    # What the page asks of itself is under way by now; its answer may come meanwhile, and is another's.
    with page.expect_request(lambda request: request.method == "POST") as asked:
        # While an answer is awaited the same button stops that, and is called so.
        page.get_by_label("Execute query").click()
    answered = asked.value.response()
    assert answered
    answer = answered.json()
    # The answer is shown, which its own pane says in text.
    expect(page.locator(".result-window")).to_contain_text('"data"')
    return answer


def give_token(page: Page, token: str) -> None:
    """Put a token into the tab's editor of headers."""
    page.get_by_role("button", name="Headers", exact=True).click()
    page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden)").first.click()
    page.keyboard.insert_text(json.dumps({"authorization": f"Bearer {token}"}))


def _is_introspection(response: Response) -> bool:
    return "__schema" in (response.request.post_data or "")


def _drawn(page: Page) -> int:
    """Count the pixels with colour on the first chart's canvas."""
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


def test_the_tours_first_operation_draws_curves(opened: Tab, server: RunningServer) -> None:
    """A newcomer presses one button, gets an answer, and sees the curves of runs drawn under it."""
    page = show(opened, server)
    answer = run(page)
    assert "errors" not in answer
    names = {run["name"] for run in answer["data"]["runs"]["nodes"]}
    expect(page.locator(".results canvas").first).to_be_visible()
    legend = page.locator(".results .u-legend").first.locator(".u-series:not(:first-child) .u-label")
    assert set(legend.all_inner_texts()) <= names
    assert legend.count() > 1
    # Not by wait_for_function: what it has to look at twice it evaluates, which the page's policy forbids.
    page.evaluate("document.fonts.ready.then(() => null)")
    assert _drawn(page) > 100
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "graphiql.png")


def test_each_operation_of_the_tour_shows_something(opened: Tab, server: RunningServer) -> None:
    """Each tab finds something in the demo's store with the variables that it has, and draws it."""
    page = show(opened, server)
    tabs = page.locator(".graphiql-tab-button")
    assert len(TOUR) >= 12
    expect(tabs).to_have_count(len(TOUR))
    data: dict[str, Any] = {}
    for place in range(len(TOUR)):
        tabs.nth(place).click()
        answer = run(page)
        assert "errors" not in answer, TOUR[place].name
        assert any(answer["data"].values()), TOUR[place].name
        data |= {TOUR[place].stem.split("-", 1)[1]: next(iter(answer["data"].values()))}
        expect(page.locator(".results")).to_be_visible()
        assert "[object" not in page.locator(".results").inner_text()
    _assert_telling(data)


def _assert_telling(data: dict[str, Any]) -> None:
    """Hold that a metric is taken that many runs have, and that there is something to compare."""
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
def test_what_the_tour_says_can_be_read(browser: Browser, server: RunningServer, width: int) -> None:
    """No line of an operation goes on behind the edge of the editor, whatever the width of the window."""
    with tab(browser, server.url, width=width) as opened:
        page = show(opened, server)
        line = page.locator(".graphiql-query-editor .view-lines")
        expect(line).to_contain_text("as it is.")
        page.evaluate(
            """async patience => {
                const fits = () => {
                    const editor = document.querySelector(".graphiql-query-editor .monaco-editor");
                    const edge = editor.getBoundingClientRect().right;
                    const texts = [...editor.querySelectorAll(".view-line > span")];
                    return texts.every(text => text.getBoundingClientRect().right <= edge);
                };
                const end = performance.now() + patience;
                while (!fits()) {
                    if (performance.now() > end) throw new Error("a line goes on behind the edge");
                    await new Promise(resolve => setTimeout(resolve, 50));
                }
            }""",
            PATIENCE,
        )


@pytest.mark.parametrize("width", [800, 400])
def test_a_narrow_window_has_the_answer_under_the_operation(
    browser: Browser, server: RunningServer, width: int
) -> None:
    """On a phone, or in half of a screen, both have the whole width, not a column of a few letters."""
    with tab(browser, server.url, width=width) as opened:
        page = show(opened, server)
        run(page)
        expect(page.locator(".results canvas").first).to_be_visible()
        operation = page.locator(".graphiql-editors").bounding_box()
        answer = page.locator(".graphiql-response").bounding_box()
        assert operation
        assert answer
        assert answer["y"] >= operation["y"] + operation["height"]
        assert answer["width"] > 0.7 * width


def test_every_root_field_is_documented(opened: Tab, server: RunningServer) -> None:
    """The documentation beside the editor says of each root field what it gives."""
    page = show(opened, server)
    page.get_by_label("Show Documentation Explorer").click()
    page.locator(".graphiql-doc-explorer").get_by_role("link", name="Query", exact=True).click()
    shown = page.locator(".graphiql-doc-explorer-content")
    assert SCHEMA.query_type
    for name, field in SCHEMA.query_type.fields.items():
        expect(shown).to_contain_text(name)
        expect(shown).to_contain_text(field.description or "")


def test_table_sorts(opened: Tab, server: RunningServer) -> None:
    """Runs are shown as a table too, sorted up and down by the column that is pressed."""
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
    """Text that means a number sorts by it, before other text; what has no value stays last either way."""
    query = '{ runs(experimentNames: ["rates"]) { nodes { name params { key value } } } }'
    with tab(browser, made.url) as opened:
        page = show(opened, made, query=query)
        run(page)
        heading = page.locator(".results th button", has_text="params.rate")
        heading.click()
        assert column(page, "params.rate") == [*NUMBERS, *TEXTS, "", ""]
        heading.click()
        assert column(page, "params.rate") == [*reversed(NUMBERS), *reversed(TEXTS), "", ""]


def test_what_belongs_to_others_stands_apart(opened: Tab, server: RunningServer) -> None:
    """Params and tags of a parent and of an experiment have columns of their own beside the run's."""
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


def test_a_group_is_a_row(opened: Tab, server: RunningServer) -> None:
    """A group has one row: what its runs have in common, how many they are, what a metric came to."""
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


def test_what_is_asked_is_in_a_table(opened: Tab, server: RunningServer) -> None:
    """Flat rows, tags of one experiment, steps, counts and numbers that are not finite are shown."""
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
    """Return the cells of a column, as they are shown."""
    shown = page.locator(".results table").nth(table)
    expect(shown).to_be_visible()
    names = [text.strip(" ↑↓") for text in shown.locator("th").all_inner_texts()]
    return shown.locator(f"tbody td:nth-child({names.index(name) + 1})").all_inner_texts()


@pytest.fixture(scope="module")
def made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve a store with curves that have gaps, and with params that are numbers and others that are not."""
    uri = copy_of(sqlite_template, tmp_path_factory.mktemp("made") / "mlflow.db")
    with stores.opened("sqlite", uri) as store:
        rates = store.client.create_experiment("rates")
        for rate in sorted([*NUMBERS, *TEXTS, ""]):
            store.client.log_param(store.client.create_run(rates).info.run_id, "rate", rate)
        store.client.log_param(store.client.create_run(rates).info.run_id, "other", "1")
        # Each lacks the steps of the other, and one has NaN on either side of a point.
        for name, first in (("broken", 0), ("steady", 1)):
            run_id = store.client.create_run("0", run_name=name).info.run_id
            for step in range(first, 40, 2):
                is_gap = name == "broken" and 12 <= step <= 26 and step != 20
                store.client.log_metric(run_id, "loss", math.nan if is_gap else 1.0 + first, step=step)
    with running_server("--tracking-uri", uri) as server:
        yield server


def test_a_curve_breaks_at_nan_and_nowhere_else(browser: Browser, made: RunningServer) -> None:
    """No line bridges NaN, a point in between is seen, and steps that only others have are no gap."""
    query = """{ runs(experimentNames: ["Default"], orderBy: [{attribute: NAME}]) {
        nodes { name metrics { key series { steps values } } } } }"""
    with tab(browser, made.url) as opened:
        page = show(opened, made, query=query)
        run(page)
        expect(page.locator(".results canvas")).to_be_visible()
        expect(page.locator(".results .u-label")).to_have_text(["step", "broken", "steady"])
        before, after = _gaps(page, "#0072b2")
        assert 0.15 < after < before < 0.27
        assert _gaps(page, "#d55e00") == []


def _gaps(page: Page, colour: str) -> list[float]:
    """Return how wide a curve's gaps are, as shares of its width."""
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
    drawn = [place for place, is_drawn in enumerate(columns) if is_drawn]
    width = drawn[-1] - drawn[0]
    return [(right - left) / width for left, right in pairwise(drawn) if right - left > 2]


@pytest.mark.parametrize("allowed", ["clipboard", "selection", "nothing"])
def test_a_link_is_copied_or_shown(opened: Tab, server: RunningServer, allowed: str) -> None:
    """Without a clipboard, as over plain HTTP from elsewhere, a link is copied all the same, or shown."""
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
    # What a test before this one copied is still in the clipboard.
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


def _copied(page: Page, awaited: str) -> str:
    """Return what the clipboard has once it is what is awaited, or after a while; to copy takes a moment."""
    text: str = page.evaluate(
        """async ([awaited, patience]) => {
            const end = performance.now() + patience;
            for (;;) {
                const text = await navigator.clipboard.readText();
                if (text === awaited || performance.now() > end) return text;
                await new Promise(resolve => setTimeout(resolve, 50));
            }
        }""",
        [awaited, PATIENCE],
    )
    return text


def test_link_carries_an_operation(opened: Tab, server: RunningServer) -> None:
    """A link opens the page with its operation and variables in the first tab, not yet run."""
    query = "query Linked($first: Int) { experiments(first: $first) { nodes { name } } }"
    variables = json.dumps({"first": 1})
    page = show(opened, server, query=query, variables=variables)
    expect(page.locator(".graphiql-editor-tool")).to_contain_text('"first"')
    expect(page.locator(".result-window")).not_to_contain_text("data")
    assert len(run(page)["data"]["experiments"]["nodes"]) == 1


def test_token_is_sent_and_forgotten(opened: Tab, server: RunningServer) -> None:
    """What stands in the header editor is sent along, and nothing of it outlives the page."""
    page = show(opened, server, query="{ server { store } }")
    give_token(page, "a secret")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_label("Execute query").click()
    assert asked.value.headers["authorization"] == "Bearer a secret"
    expect(page.locator(".result-window")).to_contain_text("SQL")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert kept == '[{},{},""]'


def test_one_token_is_for_all_tabs(opened: Tab, server: RunningServer) -> None:
    """Each tab has an editor of headers; whoever has put a token into one need not do so fourteen times."""
    page = show(opened, server)
    give_token(page, "a secret")
    run(page)
    page.locator(".graphiql-tab-button").nth(1).click()
    expect(page.locator(".graphiql-query-editor .view-lines")).to_contain_text("Leaderboard")
    with page.expect_request(lambda request: request.method == "POST") as asked:
        page.get_by_label("Execute query").click()
    assert asked.value.headers["authorization"] == "Bearer a secret"
    expect(page.locator(".result-window")).to_contain_text('"data"')


def test_the_tour_is_filled_in_with_a_token(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    """A page that was told nothing when it opened, for want of a token, asks again once there is one."""
    key, line = new_key("reader", write=False)
    file = tmp_path / "keys"
    file.write_text(line + "\n")
    options = ("--directory", str(demo.directory), "--auth", "keys", "--api-keys-file", str(file))
    with running_server(*options, command="demo") as server, tab(browser, server.url) as opened:
        page = show(opened, server)
        # What became of its question for the schema; it asks twice.
        expect(page.locator(".result-window")).to_contain_text("UNAUTHENTICATED")
        give_token(page, key)
        with page.expect_response(lambda response: _is_introspection(response) and response.ok):
            run(page)
        tabs, variables = page.locator(".graphiql-tab-button"), page.locator(".graphiql-editor-tool")
        # A hidden editor has no text that could be read.
        page.get_by_role("button", name="Variables", exact=True).click()
        for place in [*range(1, len(TOUR)), 1]:
            tabs.nth(place).click()
            for name in set(re.findall(r"\$(\w+):", TOUR[place].read_text())) - {"after"}:
                expect(variables).to_contain_text(f'"{name}"')
            expect(variables).not_to_contain_text(NOTHING)
            answer = run(page)
            assert "errors" not in answer, TOUR[place].name
            assert any(answer["data"].values()), TOUR[place].name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes(opened: Tab, server: RunningServer, theme: str) -> None:
    """The page follows the colours that the person's machine asks for, and its charts can be read in both."""
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
