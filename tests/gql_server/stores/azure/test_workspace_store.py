"""Differences from an MLflow server: ids, limits, missing features and the plugin."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError

import pytest
from mlflow.entities import Metric, Param

from gql_server.stores.azure import plugin_stores
from gql_server.stores.azure.plugin_stores import open_workspace_store
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.tracking import Order, Page, Search
from schema.types.node import global_id
from tests.e2e.test_store_calls import NESTED, fill
from tests.gql_server.stores.azure.test_workspace_uri import VALID_URI
from tests.support.app.graphql_client import graphql_client
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

PAGE = Page(100, None, frozenset({"name", "run_id"}))


async def test_service_ids_work_everywhere(azure: Emulator, azure_store: Store) -> None:
    """GUIDs of experiments and job names of runs work in pages, lookups and histories."""
    for number in range(25):
        run = azure_store.client.create_run("0", start_time=1000 + number, run_name=f"r{number}").info.run_id
        azure_store.client.log_metric(run, "loss", number, step=1)
    azure.opaque_ids = True
    async with graphql_client(azure_store.uri) as graphql:
        page = (
            await graphql.data(
                """{ runs(first: 24, orderBy: [{metric: "loss"}]) {
                     nodes { id runId experimentId metric(key: "loss") { value history { value } } } } }"""
            )
        )["runs"]["nodes"]
        ids = [node["id"] for node in page]
        again = await graphql.data(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Run { name experiment { name } } } }",
            ids=ids,
        )
        one = await graphql.data(
            "query ($id: ID!, $run: ID!) { experiment(experimentId: $id) {name} run(runId: $run) {name} }",
            id=page[0]["experimentId"],
            run=page[0]["runId"],
        )
    assert page[3]["runId"].startswith("upbeat_square_")
    assert page[3]["id"] == global_id("Run", page[3]["runId"])
    assert page[3]["experimentId"] == "00000000-0000-4000-8000-000000000000"
    assert page[3]["metric"] == {"value": 3.0, "history": [{"value": 3.0}]}
    assert [node["name"] for node in again["nodes"]] == [f"r{number}" for number in range(24)]
    assert one == {"experiment": {"name": "Default"}, "run": {"name": "r0"}}
    assert azure.refused == []


async def test_long_history_is_read_in_supported_pages(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """A history that is longer than a page is read completely."""
    run = azure_store.client.create_run("0").info.run_id
    for start in (0, 1000):
        points = [Metric("m", step / 2, 1, step) for step in range(start, start + 1000)]
        azure_store.client.log_batch(run, points)
    result = await tracking.histories([(run, "m")], None, None)
    assert result.rows["step"] == list(range(2000))
    assert azure.calls["metrics/get-history"] == 3
    assert azure.refused == []


async def test_page_size_does_not_exceed_the_maximum(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """A request is for at most 1,000 rows, for all page sizes and positions."""
    for number in range(3):
        azure_store.client.create_run("0", start_time=1000 + number, run_name=f"r{number}")
    search = Search(order=(Order("attribute", "started_at"),))
    first = await tracking.runs([("0",)], search, Page(1, None, PAGE.columns))
    rest = await tracking.runs([("0",)], search, Page(5000, first.position(0), PAGE.columns))
    assert rest.rows["name"] == ["r1", "r2"]
    assert azure.refused == []
    assert {search["max_results"] for search in azure.searches} == {1, 1000}


async def test_many_lookups_use_few_calls(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """Few runs are looked up one by one, because the search lags behind; many are searched by ids."""
    ids = [azure_store.client.create_run("0").info.run_id for _ in range(22)]
    result = await tracking.runs_by_id(ids[:20], {"run_id"})
    assert (result.rows["run_id"], azure.calls["runs/get"], azure.calls["runs/search"]) == (ids[:20], 20, 0)
    result = await tracking.runs_by_id(ids, {"run_id"})
    assert [result.rows["run_id"][row or 0] for row in result.index] == ids
    assert (azure.calls["runs/get"], azure.calls["runs/search"]) == (20, 1)


def test_logged_models_are_an_empty_list(azure: Emulator, azure_store: Store) -> None:
    """A search for logged models returns an empty list, not an error."""
    result = open_workspace_store(azure_store.uri, 5).search_logged_models(["0"], "name = 'x'")
    assert (list(result), result.token) == ([], None)
    assert azure.calls["logged-models/search"] == 1


def test_large_batch_is_split(azure: Emulator, azure_store: Store) -> None:
    """More metric values than the service accepts are logged in several batches, params once."""
    run = azure_store.client.create_run("0").info.run_id
    points = [Metric("m", step, 1, step) for step in range(600)]
    open_workspace_store(azure_store.uri, 5).log_batch(run, points, [Param("p", "1")], [])
    assert len(azure_store.client.get_metric_history(run, "m")) == 600
    assert azure_store.client.get_run(run).data.params == {"p": "1"}
    assert azure.calls["runs/log-batch"] == 3


@pytest.mark.parametrize("installed", [None, "1.60.0"])
async def test_missing_plugin_is_named(
    azure_store: Store, monkeypatch: pytest.MonkeyPatch, installed: str | None
) -> None:
    """Without the plugin, or with an old version, the message has the command that installs it."""

    def version(_name: str) -> str:
        if installed is None:
            raise PackageNotFoundError
        return installed

    monkeypatch.setattr(plugin_stores, "version", version)
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    with pytest.raises(StoreConfigError, match=r"pip install 'mlflow-gql-server\[azure\]'"):
        await port.open()
    await port.close()


_WITHOUT_PLUGIN = """
import importlib.metadata as metadata
found = metadata.version
def version(name):
    if name == "azureml-mlflow":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
from gql_server.cli import main
main()
"""


@pytest.mark.parametrize(
    ("program", "uri", "message"),
    [
        (("-c", _WITHOUT_PLUGIN), VALID_URI, "pip install 'mlflow-gql-server[azure]'"),
        (("-m", "gql_server.cli"), VALID_URI.replace("resourceGroups", "resourcegroups"), VALID_URI),
    ],
)
def test_command_reports_config_error_in_one_line(program: tuple[str, str], uri: str, message: str) -> None:
    """Configuration errors print one line to stderr and exit with code 2."""
    command = [sys.executable, *program, "serve", "--tracking-uri", uri]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert message in line


async def test_nested_query_needs_few_calls(azure: Emulator, azure_store: Store) -> None:
    """A nested query needs two searches per experiment and one call per history."""
    fill(azure_store, 3, 5)
    async with graphql_client(azure_store.uri) as graphql:
        data = await graphql.data(NESTED)
    assert [len(node["runs"]["nodes"]) for node in data["experiments"]["nodes"]] == [5, 5, 5]
    del azure.calls["token"]
    assert azure.calls == {
        "experiments/search": 2,
        "runs/search": 6,
        "experiments/get": 3,
        "metrics/get-history": 15,
    }
