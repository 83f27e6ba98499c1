"""What differs from an MLflow server: errors, throttling, ids, limits, and what is not there at all."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import PackageNotFoundError
from typing import TypeAlias

import pytest
from mlflow.entities import Metric, Param

from gql_server.config.azure import AzureSettings
from gql_server.runtime import retry
from gql_server.stores.azure import credential, plugin_stores
from gql_server.stores.azure.plugin_stores import open_workspace
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import (
    BadUserInput,
    Forbidden,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedByStore,
)
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Order, Page, Search
from schema.ports.tracking_writes import KeyValue
from schema.types.node import global_id
from tests.e2e.test_store_calls import NESTED, fill
from tests.gql_server.stores.azure.test_workspace_uri import RIGHT
from tests.support.azure.emulator import Emulator
from tests.support.graphql_client import graphql_client
from tests.support.limits import LIMITS, store_limits
from tests.support.stores import Store
from tests.support.write_stores import IN_DOUBT, open_write_store

PAGE = Page(100, None, frozenset({"name", "run_id"}))


@pytest.fixture
async def tracking(azure_store: Store) -> AsyncIterator[MlflowTracking]:
    """Give the port over the workspace."""
    port = MlflowTracking(azure_store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses between tries short."""
    monkeypatch.setattr(retry, "_FIRST", 0.001)


Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""A status, headers and a body."""


def answer(status: int, message: str, code: str | None = "BAD_REQUEST") -> Answer:
    """Return an error as the service words it."""
    error = {"Code": "UserError", "Message": message, "InnerError": {"Code": "Secret", "InnerError": None}}
    body = {"Error": error, "Correlation": {"operation": "0af765"}, "statusCode": status, "error_code": code}
    return status, {}, json.dumps(body).encode()


@pytest.mark.parametrize(
    ("said", "fault", "shown"),
    [
        (answer(400, "The value 'x' is not valid."), BadUserInput, "The value 'x' is not valid."),
        (answer(400, "See https://a.b/c for it.", None), BadUserInput, "See (a URL) for it."),
        (answer(400, "No, not that.", "UserError"), BadUserInput, "No, not that."),
        (answer(401, "No.", "UNAUTHENTICATED"), Unauthenticated, "credentials"),
        (answer(403, "No.", None), Forbidden, "does not allow"),
        ((403, {}, b"<html>no</html>"), Forbidden, "does not allow"),
        ((409, {}, b"{}"), StoreUnavailable, "not available"),
        ((404, {}, b""), UnsupportedByStore, "no such function"),
        ((200, {}, b"<html>a proxy's page</html>"), StoreUnavailable, "not available"),
        ((302, {}, b""), StoreUnavailable, "not available"),
    ],
)
async def test_an_error_is_its_message(
    azure: Emulator,
    tracking: MlflowTracking,
    said: Answer,
    fault: type[PublicError],
    shown: str,
) -> None:
    """Of the service's error the client reads the sentence meant for it, under the right code."""
    # Twice: after a 401 another token is tried.
    azure.failures.extend([said, said])
    with pytest.raises(fault) as caught:
        await tracking.count_experiments(Search())
    assert shown in str(caught.value)
    for inner in ("0af765", "Secret", "Correlation", "{"):
        assert inner not in str(caught.value)


async def test_a_token_that_was_taken_back_is_replaced(
    azure: Emulator, azure_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the workspace does not take any more is forgotten, though it should have held; once in a while."""
    monkeypatch.setattr(credential, "_REMEMBERED", 0.0)
    async with graphql_client(azure_store.uri, azure_retries=1) as ask:
        for first in range(2):
            asked = azure.calls["token"]
            azure.take_back()
            await ask.data(f"{{ experiment(experimentId: {first}) {{ name }} }}")
            assert azure.calls["token"] == asked + 1
        monkeypatch.setattr(credential, "_REMEMBERED", 3600.0)
        azure.take_back()
        error = await ask.error("{ experiments { nodes { name } } }")
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert azure.calls["token"] == asked + 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_stumbles_is_asked_again(azure: Emulator, tracking: MlflowTracking, status: int) -> None:
    """A workspace that is asked too often, or fails, is asked again until it answers."""
    azure.failures.extend([answer(status, "Not now."), (status, {}, b"")])
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("status", "fault"), [(429, StoreUnavailable), (500, StoreUnavailable), (504, StoreTimeout)]
)
async def test_not_for_ever(
    azure: Emulator, azure_store: Store, status: int, fault: type[PublicError]
) -> None:
    """After as many tries as are set the fault says why, and each cost one request."""
    azure.failures.extend([answer(status, "Not now.")] * 9)
    port = MlflowTracking(azure_store.uri, LIMITS.store, azure=AzureSettings(azure_retries=2).azure_options)
    with pytest.raises(fault):
        await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 3
    await port.close()


async def test_no_longer_than_the_request(azure: Emulator, azure_store: Store) -> None:
    """A workspace that wants to be left alone for longer than the request may take is not waited for."""
    azure.failures.extend([(429, {"Retry-After": "3600"}, b"")] * 9)
    port = MlflowTracking(azure_store.uri, store_limits(store_timeout=20))
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="too often"):
            await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 1
    await port.close()


@pytest.mark.usefixtures("quick")
async def test_histories_are_asked_for_again(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """Of many histories, those that were refused for the rush come with the others."""
    run = azure_store.client.create_run("0").info.run_id
    azure_store.client.log_batch(run, [Metric(f"m{number}", 1, 1, 1) for number in range(12)])
    azure.failures.extend([(429, {}, b"")] * 4 + [(503, {}, b"")])
    found = await tracking.histories([(run, f"m{number}") for number in range(12)], None, None)
    assert found.rows["value"] == [1.0] * 12
    assert azure.calls["metrics/get-history"] == 17


SET_TAGS = """mutation { setExperimentTags(input: {experimentId: "0", tags: [{key: "k", value: "v"}]}) {
    experiment { tag(key: "k") } } }"""


@pytest.mark.usefixtures("quick")
async def test_a_change_that_was_refused_is_made(azure: Emulator, azure_store: Store) -> None:
    """What the workspace had no time for, or did not know who asks it, was not done, and is asked again."""
    async with graphql_client(azure_store.uri, writable=True) as ask:
        azure.failures.append((429, {}, b""))
        changed = await ask.data(SET_TAGS)
        azure.take_back()
        await ask.data(SET_TAGS)
    assert changed["setExperimentTags"] == {"experiment": {"tag": "v"}}
    assert azure.calls["experiments/set-experiment-tag"] == 4


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("status", "headers", "times", "in_doubt"),
    [(429, {}, 3, False), (429, {"Retry-After": "3600"}, 1, False), (503, {}, 1, True)],
)
async def test_a_change_is_not_made_twice(
    azure: Emulator, azure_store: Store, status: int, headers: dict[str, str], times: int, *, in_doubt: bool
) -> None:
    """Refused to the end, a change was not applied; one that the workspace failed over is sent once."""
    azure.failures.extend([(status, headers, b"")] * 9)
    writer = open_write_store(azure_store.uri, StoreKind.AZURE_ML, retries=2)
    with pytest.raises(StoreUnavailable) as caught:
        await writer.set_experiment_tags("0", [KeyValue("k", "v")])
    assert azure.calls["experiments/set-experiment-tag"] == times
    assert (IN_DOUBT in str(caught.value)) is in_doubt
    await writer.close()


async def test_as_long_as_it_wants(azure: Emulator, tracking: MlflowTracking) -> None:
    """Retry-After is what is waited, where there is time for it."""
    azure.failures.append((429, {"Retry-After": "0"}, b""))
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 2


async def test_ids_are_opaque(azure: Emulator, azure_store: Store) -> None:
    """GUIDs of experiments and job names of runs go through the whole graph: pages, lookups, histories."""
    for number in range(25):
        run = azure_store.client.create_run("0", start_time=1000 + number, run_name=f"r{number}").info.run_id
        azure_store.client.log_metric(run, "loss", number, step=1)
    azure.opaque_ids = True
    async with graphql_client(azure_store.uri) as ask:
        page = (
            await ask.data(
                """{ runs(first: 24, orderBy: [{metric: "loss"}]) {
                     nodes { id runId experimentId metric(key: "loss") { value history { value } } } } }"""
            )
        )["runs"]["nodes"]
        ids = [node["id"] for node in page]
        again = await ask.data(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Run { name experiment { name } } } }",
            ids=ids,
        )
        one = await ask.data(
            "query ($id: ID!, $own: ID!) { experiment(experimentId: $id) {name} run(runId: $own) {name} }",
            id=page[0]["experimentId"],
            own=page[0]["runId"],
        )
    assert page[3]["runId"].startswith("upbeat_square_")
    assert page[3]["id"] == global_id("Run", page[3]["runId"])
    assert page[3]["experimentId"] == "00000000-0000-4000-8000-000000000000"
    assert page[3]["metric"] == {"value": 3.0, "history": [{"value": 3.0}]}
    assert [node["name"] for node in again["nodes"]] == [f"r{number}" for number in range(24)]
    assert one == {"experiment": {"name": "Default"}, "run": {"name": "r0"}}
    assert azure.refused == []


async def test_histories_come_in_pages_that_it_takes(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """A history longer than one answer may be is read whole."""
    run = azure_store.client.create_run("0").info.run_id
    for start in (0, 1000):
        points = [Metric("m", step / 2, 1, step) for step in range(start, start + 1000)]
        azure_store.client.log_batch(run, points)
    found = await tracking.histories([(run, "m")], None, None)
    assert found.rows["step"] == list(range(2000))
    assert azure.calls["metrics/get-history"] == 3
    assert azure.refused == []


async def test_no_page_is_longer_than_it_takes(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """However many rows a page skips or wants, no more than a thousand are asked for at once."""
    for number in range(3):
        azure_store.client.create_run("0", start_time=1000 + number, run_name=f"r{number}")
    search = Search(order=(Order("attribute", "started_at"),))
    first = await tracking.runs([("0",)], search, Page(1, None, PAGE.columns))
    rest = await tracking.runs([("0",)], search, Page(5000, first.position(0), PAGE.columns))
    assert rest.rows["name"] == ["r1", "r2"]
    assert azure.refused == []
    assert {search["max_results"] for search in azure.searches} == {1, 1000}


async def test_many_lookups_are_few_calls(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """Few runs are got one by one, since its search lags behind; many are searched for by their ids."""
    ids = [azure_store.client.create_run("0").info.run_id for _ in range(22)]
    found = await tracking.runs_by_id(ids[:20], {"run_id"})
    assert (found.rows["run_id"], azure.calls["runs/get"], azure.calls["runs/search"]) == (ids[:20], 20, 0)
    found = await tracking.runs_by_id(ids, {"run_id"})
    assert [found.rows["run_id"][place or 0] for place in found.index] == ids
    assert (azure.calls["runs/get"], azure.calls["runs/search"]) == (20, 1)


def test_there_are_no_logged_models(azure: Emulator, azure_store: Store) -> None:
    """A workspace has no logged models, which is an empty list and no error."""
    found = open_workspace(azure_store.uri, 5).search_logged_models(["0"], "name = 'x'")
    assert (list(found), found.token) == ([], None)
    assert azure.calls["logged-models/search"] == 1


def test_batches_are_as_large_as_it_takes(azure: Emulator, azure_store: Store) -> None:
    """More values than the service takes at once are logged in several batches, params once."""
    run = azure_store.client.create_run("0").info.run_id
    points = [Metric("m", step, 1, step) for step in range(600)]
    open_workspace(azure_store.uri, 5).log_batch(run, points, [Param("p", "1")], [])
    assert len(azure_store.client.get_metric_history(run, "m")) == 600
    assert azure_store.client.get_run(run).data.params == {"p": "1"}
    assert azure.calls["runs/log-batch"] == 3


@pytest.mark.parametrize("installed", [None, "1.60.0"])
async def test_a_plugin_that_is_not_there_is_named(
    azure_store: Store, monkeypatch: pytest.MonkeyPatch, installed: str | None
) -> None:
    """Without the plugin, or with one that cannot do it, the message is the line that installs it."""

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
    ("program", "uri", "said"),
    [
        (("-c", _WITHOUT_PLUGIN), RIGHT, "pip install 'mlflow-gql-server[azure]'"),
        (("-m", "gql_server.cli"), RIGHT.replace("resourceGroups", "resourcegroups"), RIGHT),
    ],
)
def test_the_command_ends_with_one_line(program: tuple[str, str], uri: str, said: str) -> None:
    """What has to be mended first is one line on stderr and exit code 2."""
    command = [sys.executable, *program, "serve", "--tracking-uri", uri]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert said in line


async def test_a_nested_query_is_bounded(azure: Emulator, azure_store: Store) -> None:
    """It is two searches an experiment, and a call for each history, as many at once as there are threads."""
    fill(azure_store, 3, 5)
    async with graphql_client(azure_store.uri) as ask:
        data = await ask.data(NESTED)
    assert [len(node["runs"]["nodes"]) for node in data["experiments"]["nodes"]] == [5, 5, 5]
    del azure.calls["token"]
    assert azure.calls == {
        "experiments/search": 2,
        "runs/search": 6,
        "experiments/get": 3,
        "metrics/get-history": 15,
    }
