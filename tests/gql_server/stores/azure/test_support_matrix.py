"""The service's support matrix: the graph also supports what the service refuses."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException

from gql_server.config.azure import Edition
from gql_server.stores.azure.plugin_stores import open_workspace_store
from gql_server.stores.azure.support_matrix import MATRIX, azure_capabilities
from gql_server.stores.errors import public_error_from
from gql_server.stores.pushdown.plan import plan_experiments, plan_runs
from schema.ports.condition import Condition
from schema.ports.errors import BadUserInput, UnsupportedByStore
from schema.ports.tracking import Order, Search
from tests.support.app.graphql_client import graphql_client
from tests.support.azure import refusals
from tests.support.azure.emulator import Emulator
from tests.support.stores.condition_evaluator import records
from tests.support.stores.condition_strategies import conditions, orders
from tests.support.stores.store import Store
from tests.test_packaging import ROOT

EDITIONS: dict[Edition, refusals.Edition] = {"2024": refusals.NEWER, "2022": refusals.OLDER}


@dataclass(frozen=True)
class Case:
    """A feature as MLflow's client sends it, the same as GraphQL arguments, and the names of the result."""

    raw: dict[str, Any]
    arguments: str
    names: list[str]
    """In the requested order, otherwise sorted."""


def _filter(raw: str, text: str, *names: str) -> Case:
    return Case({"filter_string": raw}, f"filter: {text!r}".replace("'", '"').replace("~", "'"), list(names))


def _order(raw: str, arguments: str, *names: str) -> Case:
    return Case({"order_by": [raw]}, f"orderBy: [{arguments}]", list(names))


CASES: dict[str, Case] = {
    "order_times": _order("start_time ASC", "{attribute: STARTED_AT}", "a", "b", "c", "d"),
    "order_attributes": _order("attributes.user_id ASC", "{attribute: USER_ID}", "d", "c", "b", "a"),
    "order_metrics": _order("metrics.loss ASC", '{metric: "loss"}', "b", "d", "a", "c"),
    "order_params": _order("params.depth ASC", '{param: "depth"}', "c", "b", "a", "d"),
    "order_tags": _order("tags.mlflow.runName DESC", '{tag: "mlflow.runName", direction: DESC}', *"dcba"),
    "filter_times": _filter("attributes.start_time > '1001'", "start_time > 1001", "c", "d"),
    "filter_attributes": _filter("attributes.status = 'Failed'", "status = ~FAILED~", "b"),
    "filter_metrics": _filter("metrics.loss > 0.4", "metrics.loss > 0.4", "a", "c"),
    "quoted_metrics": _filter("metrics.`f1 score` > 0.5", "metrics.`f1 score` > 0.5", "c", "d"),
    "filter_params": _filter("params.depth = '10'", "params.depth = ~10~", "a"),
    "filter_tags": _filter("tags.team = 'blue'", "tags.team = ~blue~", "a", "b"),
    "number_comparators": _filter("metrics.loss != 0.5", "metrics.loss != 0.5", "b", "c", "d"),
    "text_comparators": _filter("params.depth != '10'", "params.depth != ~10~", "b", "c", "d"),
    "unequal_tags": _filter("tags.team != 'blue'", "tags.team != ~blue~", "c"),
    "like": _filter("params.opt LIKE 'ad%'", "params.opt LIKE ~ad%~", "a", "b"),
    "and": _filter(
        "params.depth = '10' AND metrics.loss = 0.5", "params.depth = ~10~ AND metrics.loss = 0.5", "a"
    ),
    "or": Case(
        {"filter_string": "params.depth = '10' OR metrics.loss > 0.6"},
        'where: {or: [{param: {key: "depth", eq: "10"}}, {metric: {key: "loss", gt: 0.6}}]}',
        ["a", "c"],
    ),
}  # fmt: skip

SORTED_HERE = {("order_times", "2022"), ("order_attributes", "2024")}
"""Orders that a workspace supports in part: without the run's id as last key, or by its own collation."""


@pytest.fixture
def filled(azure_store: Store) -> Store:
    """Return a workspace with four runs that differ in all values."""
    client = azure_store.client
    for index, (name, depth, opt, loss, team, status) in enumerate(
        [
            ("a", "10", "adam", 0.5, "blue", "FINISHED"),
            ("b", "9", "adamw", 0.25, "blue", "FAILED"),
            ("c", "1e0", "sgd", 0.75, "red", "KILLED"),
            ("d", "deep", "lion", 0.375, None, "FINISHED"),
        ]
    ):
        tags = {"mlflow.user": "zyxw"[index]} | ({} if team is None else {"team": team})
        run = client.create_run("0", start_time=1000 + index, run_name=name, tags=tags).info.run_id
        client.log_param(run, "depth", depth)
        client.log_param(run, "opt", opt)
        client.log_metric(run, "loss", loss)
        client.log_metric(run, "f1 score", 0.25 * (index + 1))
        client.set_terminated(run, status, 2000)
    return azure_store


def raw_names(store: Store, **search: Any) -> list[str]:
    """Search the workspace with the plugin's store, as MLflow's client would; return the names."""
    result = open_workspace_store(store.uri, 5).search_runs(
        ["0"], search.pop("filter_string", ""), 1, 100, **search
    )
    return [run.info.run_name for run in result]


def test_each_row_has_a_case() -> None:
    """Each row of the matrix has a test case."""
    assert CASES.keys() | {"rename"} == MATRIX.keys()


@pytest.mark.parametrize("row", MATRIX)
def test_each_row_is_documented(row: str) -> None:
    """The table in docs/azure.md is equal to the matrix."""
    entry = MATRIX[row]
    newer, older = ("yes" if edition in entry.editions else "no" for edition in EDITIONS)
    line = f"| {entry.feature} | {newer} | {older} | {entry.handling} |"
    assert line in (ROOT / "docs" / "azure.md").read_text()


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("row", CASES)
async def test_each_row_works_through_the_graph(
    azure: Emulator, filled: Store, row: str, edition: Edition
) -> None:
    """The service refuses unsupported features; through the graph, each feature works in one search."""
    azure.edition = EDITIONS[edition]
    case = CASES[row]
    if edition in MATRIX[row].editions:
        assert sorted(raw_names(filled, **case.raw)) == sorted(case.names)
    else:
        with pytest.raises(MlflowException) as refused:
            raw_names(filled, **case.raw)
        assert isinstance(public_error_from(refused.value), BadUserInput)
        assert azure.refused
    azure.calls.clear()
    azure.refused.clear()
    azure.searches.clear()
    async with graphql_client(filled.uri, azure_edition=edition) as graphql:
        data = await graphql.data(f"{{ runs(experimentIds: [0], {case.arguments}) {{ nodes {{ name }} }} }}")
    names = [node["name"] for node in data["runs"]["nodes"]]
    assert (names if "orderBy" in case.arguments else sorted(names)) == case.names
    assert azure.refused == []
    assert azure.calls["runs/search"] == 1
    (search,) = azure.searches
    supported = edition in MATRIX[row].editions and (row, edition) not in SORTED_HERE
    # For an unequal tag, the service can still test that the tag exists.
    part = row == "unequal_tags" and edition == "2024"
    assert bool(search.get("filter") or search.get("order_by")) is (supported or part)


def test_renaming_experiment_is_refused_without_request(azure: Emulator, filled: Store) -> None:
    """The service cannot rename experiments, and this server sends no such request."""
    store = open_workspace_store(filled.uri, 5)
    with pytest.raises(MlflowException) as refused:
        super(type(store), store).rename_experiment("0", "other")  # type: ignore[misc]
    assert isinstance(public_error_from(refused.value), BadUserInput)
    assert azure.calls["experiments/update"] == 1
    with pytest.raises(UnsupportedByStore, match="rename"):
        store.rename_experiment("0", "other")
    assert azure.calls["experiments/update"] == 1


@settings(max_examples=50, deadline=None)
@given(data=st.data(), edition=st.sampled_from(sorted(EDITIONS)))
def test_requests_use_only_supported_features(data: st.DataObject, edition: Edition) -> None:
    """For every condition and order, the requests to a workspace use only features of its edition."""
    runs = records()
    for number, run in enumerate(runs):
        run.run_id, run.experiment_id = f"upbeat-square_{number}", str(number % 2)
    condition: Condition = data.draw(conditions(runs))
    order: tuple[Order, ...] = data.draw(orders())
    plan = plan_runs(Search(where=condition, order=order), azure_capabilities(edition))
    refusals.check_runs_filter(plan.filter, EDITIONS[edition])
    refusals.check_order(plan.order_by or (), EDITIONS[edition])
    by_name = Search(where=condition, filter="tags.a != 'b' AND name ILIKE 'a%'")
    experiments = plan_experiments(by_name, azure_capabilities(edition))
    refusals.check_experiments_filter(experiments.filter, EDITIONS[edition])


@pytest.mark.parametrize("text", ["\n", "a\nb", "a\n"])
async def test_line_break_is_pushed_down_as_a_character(
    azure: Emulator, azure_store: Store, text: str
) -> None:
    """A filter for a text with a line break is sent to the workspace and finds the run."""
    client = azure_store.client
    for name in (text, "a", "b"):
        client.create_run("0", run_name=name, tags={"kept": text})
    both = 'where: {name: {eq: $text}, tag: [{key: "kept", eq: $text}]}'
    query = f"query ($text: String!) {{ runs(experimentIds: [0], {both}) {{ nodes {{ name }} }} }}"
    async with graphql_client(azure_store.uri) as graphql:
        data = await graphql.data(query, text=text)
    assert data["runs"]["nodes"] == [{"name": text}]
    assert azure.refused == []
    assert azure.searches[-1]["filter"] == f"attributes.run_name = '{text}' AND tags.kept = '{text}'"


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("status = 'FAILED' AND end_time > 5", "attributes.status = 'Failed' AND attributes.end_time > '5'"),
        ("run_id IN ('a1', 'b_2-c')", "attributes.run_id IN ('a1', 'b_2-c')"),
        ("created < 5.0 AND run_name != 'x'", "attributes.start_time < '5' AND attributes.run_name != 'x'"),
        ("metrics.`a b` > 1 AND metrics.a > 1", "metrics.a > 1.0"),
        ("tags.k != 'v' AND params.p ILIKE 'a%'", "tags.k LIKE '%' AND params.p ILIKE 'a%'"),
        ("params.p IS NOT NULL AND tags.`a b` = 'c'", "params.p LIKE '%' AND tags.`a b` = 'c'"),
        ("artifact_uri = 'x' AND tags.k IS NULL", ""),
    ],
)  # fmt: skip
def test_filter_is_translated_for_the_service(text: str, pushed: str) -> None:
    """A filter has the same meaning: literals are translated, and unsupported clauses are evaluated here."""
    plan = plan_runs(Search(filter=text), azure_capabilities("2024"))
    assert plan.filter == pushed
    assert plan.residual is not None


@pytest.mark.parametrize(
    "text", ["datasets.name = 'x'", "params.x > '1'", "status IN ('a')", "a OR b", "x" * 10_000, "'", "("]
)
async def test_invalid_filter_is_refused_without_request(azure_store: Store, text: str) -> None:
    """An invalid filter is refused with one error code, as on every store."""
    async with graphql_client(azure_store.uri) as graphql:
        error = await graphql.error(
            "query ($f: String) { runs(experimentIds: [0], filter: $f) { totalCount } }", f=text
        )
    codes = {"BAD_USER_INPUT", "UNSUPPORTED_BY_STORE"}
    assert error["extensions"]["code"] in codes
