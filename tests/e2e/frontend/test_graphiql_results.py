"""Tables and curves that GraphiQL shows of results, in a real browser."""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.app.graphiql_page import execute, open_graphiql
from tests.support.servers.chromium import Tab, open_tab
from tests.support.servers.server_process import RunningServer, running_server
from tests.support.stores.store import copy_template, open_test_store

NUMBERS = ["-2", "1e-05", "0.001", "0.003", "0.01", "0.1", "0.3", "2", "10", "inf"]
TEXTS = ["auto", "nan", "run 9", "run 10"]


@pytest.fixture(scope="module")
def charts_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Serve a store with curves that have gaps, and with params that are numbers or other text."""
    uri = copy_template(sqlite_template, tmp_path_factory.mktemp("charts_server") / "mlflow.db")
    with open_test_store("sqlite", uri) as store:
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


def test_table_sorts(opened: Tab, server: RunningServer) -> None:
    """Runs are also shown as a table, sorted up and down by the clicked column."""
    query = "{ runs(first: 30) { nodes { name metrics { key value } } } }"
    page = open_graphiql(opened, server, query=query)
    execute(page)
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


def test_numbers_in_params_sort_as_numbers(browser: Browser, charts_server: RunningServer) -> None:
    """Text that is a number sorts by its value, before other text; missing values are always last."""
    query = '{ runs(experimentNames: ["rates"]) { nodes { name params { key value } } } }'
    with open_tab(browser, charts_server.url) as opened:
        page = open_graphiql(opened, charts_server, query=query)
        execute(page)
        heading = page.locator(".results th button", has_text="params.rate")
        heading.click()
        assert column_cells(page, "params.rate") == [*NUMBERS, *TEXTS, "", ""]
        heading.click()
        assert column_cells(page, "params.rate") == [*reversed(NUMBERS), *reversed(TEXTS), "", ""]


def test_parent_and_experiment_have_own_columns(opened: Tab, server: RunningServer) -> None:
    """Params and tags of the parent and of the experiment have columns apart from those of the run."""
    query = """{ runs(filter: "attributes.run_name = 'refit'") { nodes { name
        tags(keys: ["mlflow.user"]) { key value } params(keys: ["steps"]) { key value }
        parent { name params(keys: ["steps"]) { key value } tags(keys: ["mlflow.runName"]) { key value } }
        experiment { tags(keys: ["team"]) { key value } } } } }"""
    page = open_graphiql(opened, server, query=query)
    execute(page)
    expect(page.locator(".results table")).to_have_count(1)
    assert column_cells(page, "params.steps") == ["500"]
    assert column_cells(page, "parent.params.steps") == ["200"]
    assert column_cells(page, "tags.mlflow.user") == ["demo"]
    assert column_cells(page, "parent.tags.mlflow.runName") == column_cells(page, "parent.name")
    assert column_cells(page, "experiment.tags.team") == ["shapes"]


def test_group_is_a_row(opened: Tab, server: RunningServer) -> None:
    """A group has one row: its keys, its count and its metric summaries."""
    query = """{ runGroups(experimentNames: ["moons-sweep"], groupBy: [{param: "lr"}, {attribute: STATUS}],
        metrics: ["val/loss"]) { key { name value } count metrics { key count min max } } }"""
    page = open_graphiql(opened, server, query=query)
    groups = execute(page)["data"]["runGroups"]
    expect(page.locator(".results table")).to_have_count(1)
    assert column_cells(page, "count") == [str(group["count"]) for group in groups]
    assert column_cells(page, "key.lr") == [group["key"][0]["value"] or "" for group in groups]
    assert set(column_cells(page, "key.STATUS")) == {"FINISHED"}
    least = [group["metrics"][0]["min"] if group["metrics"] else None for group in groups]
    assert [float(cell) if cell else None for cell in column_cells(page, "metrics.val/loss.min")] == least


def test_table_shows_selected_fields(opened: Tab, server: RunningServer) -> None:
    """Flat rows, tags of one experiment, steps, counts and non-finite numbers are shown."""
    query = """{ metricRows(experiment: "moons-sweep", first: 3) { runId key value }
        runs(filter: "params.lr = '10.0'") { nodes { name
            metrics(keys: ["loss"]) { key value nonFinite step } children { totalCount } } }
        experiment(name: "ridge-learning-rates") { name metricKeys tags { key value } } }"""
    page = open_graphiql(opened, server, query=query)
    data = execute(page)["data"]
    assert column_cells(page, "runId") == [row["runId"] for row in data["metricRows"]]
    assert column_cells(page, "metrics.loss", table=1) == ["NaN"]
    assert column_cells(page, "metrics.loss.step", table=1) == ["299"]
    assert column_cells(page, "children.totalCount", table=1) == ["0"]
    assert "team" in column_cells(page, "key", table=2)
    assert set(column_cells(page, "parent", table=2)) == {"ridge-learning-rates"}


def test_curve_has_gaps_only_at_nan(browser: Browser, charts_server: RunningServer) -> None:
    """No line crosses NaN, a single point is visible, and steps of other runs leave no gap."""
    query = """{ runs(experimentNames: ["Default"], orderBy: [{attribute: NAME}]) {
        nodes { name metrics { key series { steps values } } } } }"""
    with open_tab(browser, charts_server.url) as opened:
        page = open_graphiql(opened, charts_server, query=query)
        execute(page)
        expect(page.locator(".results canvas")).to_be_visible()
        expect(page.locator(".results .u-label")).to_have_text(["step", "broken", "steady"])
        before, after = _gaps(page, "#0072b2")
        assert 0.15 < after < before < 0.27
        assert _gaps(page, "#d55e00") == []


def column_cells(page: Page, name: str, table: int = 0) -> list[str]:
    """Return the displayed text of the cells of a column."""
    shown = page.locator(".results table").nth(table)
    expect(shown).to_be_visible()
    names = [text.strip(" ↑↓") for text in shown.locator("th").all_inner_texts()]
    return shown.locator(f"tbody td:nth-child({names.index(name) + 1})").all_inner_texts()


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
