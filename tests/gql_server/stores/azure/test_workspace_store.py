"""Differences from an MLflow server: errors, throttling, ids, limits and unsupported features."""

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
from gql_server.stores.azure.plugin_stores import open_workspace_store
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
from tests.gql_server.stores.azure.test_workspace_uri import VALID_URI
from tests.support.app.graphql_client import graphql_client
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.store import Store
from tests.support.stores.write_stores import IN_DOUBT, open_write_store

PAGE = Page(100, None, frozenset({"name", "run_id"}))


@pytest.fixture
async def tracking(azure_store: Store) -> AsyncIterator[MlflowTracking]:
    """Yield the port over the workspace."""
    port = MlflowTracking(azure_store.uri, store_limits(store_threads=4))
    yield port
    await port.close()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between retries."""
    monkeypatch.setattr(retry, "_FIRST_PAUSE", 0.001)


ErrorResponse: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""A status, headers and a body."""


def error_response(status: int, message: str, code: str | None = "BAD_REQUEST") -> ErrorResponse:
    """Return an error response in the service's format."""
    error = {"Code": "UserError", "Message": message, "InnerError": {"Code": "Secret", "InnerError": None}}
    body = {"Error": error, "Correlation": {"operation": "0af765"}, "statusCode": status, "error_code": code}
    return status, {}, json.dumps(body).encode()


@pytest.mark.parametrize(
    ("response", "error", "shown"),
    [
        (error_response(400, "The value 'x' is not valid."), BadUserInput, "The value 'x' is not valid."),
        (error_response(400, "See https://a.b/c for it.", None), BadUserInput, "See (a URL) for it."),
        (error_response(400, "No, not that.", "UserError"), BadUserInput, "No, not that."),
        (error_response(401, "No.", "UNAUTHENTICATED"), Unauthenticated, "credentials"),
        (error_response(403, "No.", None), Forbidden, "does not allow"),
        ((403, {}, b"<html>no</html>"), Forbidden, "does not allow"),
        ((409, {}, b"{}"), StoreUnavailable, "not available"),
        ((404, {}, b""), UnsupportedByStore, "no such function"),
        ((200, {}, b"<html>a proxy's page</html>"), StoreUnavailable, "not available"),
        ((302, {}, b""), StoreUnavailable, "not available"),
    ],
)
async def test_error_shows_only_its_message(
    azure: Emulator,
    tracking: MlflowTracking,
    response: ErrorResponse,
    error: type[PublicError],
    shown: str,
) -> None:
    """The client receives the message of the service's error, with the matching code."""
    # Twice, because a 401 is retried with a new token.
    azure.failures.extend([response, response])
    with pytest.raises(error) as caught:
        await tracking.count_experiments(Search())
    assert shown in str(caught.value)
    for inner in ("0af765", "Secret", "Correlation", "{"):
        assert inner not in str(caught.value)


async def test_revoked_token_is_replaced(
    azure: Emulator, azure_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that the workspace refuses before it expires is replaced, at most once in some seconds."""
    monkeypatch.setattr(credential, "_FAILURE_SECONDS", 0.0)
    async with graphql_client(azure_store.uri, azure_retries=1) as graphql:
        for first in range(2):
            requested = azure.calls["token"]
            azure.revoke_tokens()
            await graphql.data(f"{{ experiment(experimentId: {first}) {{ name }} }}")
            assert azure.calls["token"] == requested + 1
        monkeypatch.setattr(credential, "_FAILURE_SECONDS", 3600.0)
        azure.revoke_tokens()
        error = await graphql.error("{ experiments { nodes { name } } }")
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert azure.calls["token"] == requested + 1


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_temporary_failure_is_retried(azure: Emulator, tracking: MlflowTracking, status: int) -> None:
    """A request that is throttled or fails is repeated until it succeeds."""
    azure.failures.extend([error_response(status, "Not now."), (status, {}, b"")])
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 3


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("status", "error"), [(429, StoreUnavailable), (500, StoreUnavailable), (504, StoreTimeout)]
)
async def test_retries_are_limited(
    azure: Emulator, azure_store: Store, status: int, error: type[PublicError]
) -> None:
    """After the configured number of retries the error is raised; each attempt is one request."""
    azure.failures.extend([error_response(status, "Not now.")] * 9)
    port = MlflowTracking(azure_store.uri, LIMITS.store, azure=AzureSettings(azure_retries=2).azure_options)
    with pytest.raises(error):
        await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 3
    await port.close()


async def test_retry_after_beyond_timeout_is_not_waited_for(azure: Emulator, azure_store: Store) -> None:
    """A Retry-After that exceeds the timeout of the call raises the error immediately."""
    azure.failures.extend([(429, {"Retry-After": "3600"}, b"")] * 9)
    port = MlflowTracking(azure_store.uri, store_limits(store_timeout=20))
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="too many requests"):
            await port.count_experiments(Search())
    assert azure.calls["experiments/search"] == 1
    await port.close()


@pytest.mark.usefixtures("short_pauses")
async def test_throttled_histories_are_retried(
    azure: Emulator, azure_store: Store, tracking: MlflowTracking
) -> None:
    """Of many histories, the throttled ones are retried, and all are returned."""
    run = azure_store.client.create_run("0").info.run_id
    azure_store.client.log_batch(run, [Metric(f"m{number}", 1, 1, 1) for number in range(12)])
    azure.failures.extend([(429, {}, b"")] * 4 + [(503, {}, b"")])
    result = await tracking.histories([(run, f"m{number}") for number in range(12)], None, None)
    assert result.rows["value"] == [1.0] * 12
    assert azure.calls["metrics/get-history"] == 17


SET_TAGS = """mutation { setExperimentTags(input: {experimentId: "0", tags: [{key: "k", value: "v"}]}) {
    experiment { tag(key: "k") } } }"""


@pytest.mark.usefixtures("short_pauses")
async def test_refused_change_is_retried(azure: Emulator, azure_store: Store) -> None:
    """A change refused for throttling or its token was not applied, and is sent again."""
    async with graphql_client(azure_store.uri, writable=True) as graphql:
        azure.failures.append((429, {}, b""))
        changed = await graphql.data(SET_TAGS)
        azure.revoke_tokens()
        await graphql.data(SET_TAGS)
    assert changed["setExperimentTags"] == {"experiment": {"tag": "v"}}
    assert azure.calls["experiments/set-experiment-tag"] == 4


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    ("status", "headers", "times", "in_doubt"),
    [(429, {}, 3, False), (429, {"Retry-After": "3600"}, 1, False), (503, {}, 1, True)],
)
async def test_failed_change_is_not_retried(
    azure: Emulator, azure_store: Store, status: int, headers: dict[str, str], times: int, *, in_doubt: bool
) -> None:
    """A change refused in all attempts was not applied; one that fails in the workspace is sent once."""
    azure.failures.extend([(status, headers, b"")] * 9)
    writer = open_write_store(azure_store.uri, StoreKind.AZURE_ML, retries=2)
    with pytest.raises(StoreUnavailable) as caught:
        await writer.set_experiment_tags("0", [KeyValue("k", "v")])
    assert azure.calls["experiments/set-experiment-tag"] == times
    assert (IN_DOUBT in str(caught.value)) is in_doubt
    await writer.close()


async def test_retry_after_is_waited_for(azure: Emulator, tracking: MlflowTracking) -> None:
    """A retry waits for the time in Retry-After, if it is within the timeout."""
    azure.failures.append((429, {"Retry-After": "0"}, b""))
    assert await tracking.count_experiments(Search()) == 1
    assert azure.calls["experiments/search"] == 2


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
