"""Pages have each object once, also if objects are added and deleted between the pages."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from mlflow import MlflowClient

from schema.ports.store_kind import StoreKind
from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

STORES = ("sqlite", "postgres", "mysql", "server", "mysql_server", "postgres_server", "azure")
SEARCHES = {
    "default": "",
    "descending": ", orderBy: [{attribute: STARTED_AT, direction: DESC}]",
    "ascending": ", orderBy: [{attribute: STARTED_AT}]",
    "two keys": ', orderBy: [{attribute: STARTED_AT, direction: DESC}, {metric: "m"}]',
    "sorted here": ", orderBy: [{attribute: NAME}]",
    "end": ", orderBy: [{attribute: ENDED_AT}]",
    "end, descending": ", orderBy: [{attribute: ENDED_AT, direction: DESC}]",
    "status": ", orderBy: [{attribute: STATUS}]",
    "status, then start": ", orderBy: [{attribute: STATUS}, {attribute: STARTED_AT, direction: DESC}]",
    "id": ", orderBy: [{attribute: RUN_ID}]",
    "id, descending": ", orderBy: [{attribute: RUN_ID, direction: DESC}]",
    "user": ", orderBy: [{attribute: USER_ID}]",
    "duration": ", orderBy: [{attribute: DURATION}]",
    "metric": ', orderBy: [{metric: "n"}]',
    "metric, descending": ', orderBy: [{metric: "n", direction: DESC}]',
    "metric, filtered": ', orderBy: [{metric: "n"}], where: {metric: [{key: "m", gte: 1}]}',
    "param": ', orderBy: [{param: "p"}]',
    "tag": ', orderBy: [{tag: "t", direction: DESC}]',
    "filter": ', filter: "metrics.m >= 0"',
    "where": ', where: {tag: [{key: "t", like: "x%"}]}',
    "filter of text": ", filter: \"tags.t = 'x'\"",
}


@pytest.fixture(params=STORES)
def paged_store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store of each kind of which pages are read in its own order."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store


def _add(store: Store, experiment: str, start_time: int, name: str) -> str:
    """Start a run; some have ended, and some have no metric `n` or one that is NaN."""
    number = int(name[1:])
    run: str = store.client.create_run(experiment, start_time, {"t": "x"}, name).info.run_id
    store.client.log_metric(run, "m", number % 3)
    if number % 4:
        store.client.log_metric(run, "n", [0, 1.5, math.nan, number // 8][number % 4])
        store.client.log_param(run, "p", str(number % 5))
    if number % 3:
        store.client.set_terminated(run, ["", "FINISHED", "FAILED"][number % 3], start_time + number % 4)
    return run


async def _pages(graphql: Any, search: str, between: Callable[[int, list[str]], None]) -> list[str]:
    query = f"""query ($after: String) {{ runs(experimentNames: ["paged"], first: 4, after: $after{search}) {{
        nodes {{ runId }} pageInfo {{ hasNextPage endCursor }} }} }}"""
    found: list[str] = []
    after = None
    for number in range(20):
        page = (await graphql.data(query, after=after))["runs"]
        found += [run["runId"] for run in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        between(number, found)
    message = "The pages do not end."
    raise AssertionError(message)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
async def test_each_run_is_on_one_page(paged_store: Store, search: str) -> None:
    """While newer and older runs are added and read runs deleted, no other run is repeated or missing."""
    if paged_store.kind is StoreKind.AZURE_ML and "ENDED_AT" in search:
        pytest.skip("A workspace orders runs by end time itself, in pages by offset (docs/queries.md).")
    experiment = paged_store.client.create_experiment("paged")
    # Several runs start at the same time.
    starts = [1_000 + 10 * (number // 3) for number in range(20)]
    runs = {_add(paged_store, experiment, start, f"r{index:02}"): start for index, start in enumerate(starts)}
    deleted: list[str] = []

    def change(number: int, found: list[str]) -> None:
        _add(paged_store, experiment, 5_000 + number, f"z{number}")
        _add(paged_store, experiment, 10 + number, f"a{number}")
        if number == 1:
            # One of the first and one of the last runs, in both directions, and the last one that was read.
            ends = {min(runs, key=runs.__getitem__), max(runs, key=runs.__getitem__), found[-1]}
            deleted.extend(ends & set(runs))
            for run in deleted:
                paged_store.client.delete_run(run)

    async with graphql_client(paged_store.uri, **UNCACHED) as graphql:
        found = await _pages(graphql, search, change)
    assert len(found) == len(set(found))
    expected = set(runs) - set(deleted)
    if "gte: 1" in search:
        data = paged_store.client.search_runs([experiment], "metrics.m >= 1", max_results=1000)
        expected &= {run.info.run_id for run in data}
    assert expected <= set(found)


async def test_runs_without_a_start_are_on_the_last_page(paged_store: Store) -> None:
    """Runs without a start time come last in both directions, once."""
    experiment = paged_store.client.create_experiment("paged")
    runs = [_add(paged_store, experiment, start, f"r{start}") for start in (1, 2, 3, 4, 5, 6)]
    create = paged_store.client._tracking_client.store.create_run  # noqa: SLF001 - the client sets a time
    unknown = {create(experiment, "u", 0, [], f"u{number}").info.run_id for number in range(5)}
    async with graphql_client(paged_store.uri, **UNCACHED) as graphql:
        for search, known in ((SEARCHES["default"], runs[::-1]), (SEARCHES["ascending"], runs)):
            found = await _pages(graphql, search, lambda *_: None)
            assert found[:6] == known
            assert (set(found[6:]), len(found)) == (unknown, 11)


def _add_experiment(client: MlflowClient, name: str) -> str:
    return str(client.create_experiment(name))


def _add_model(client: MlflowClient, name: str) -> str:
    return str(client.create_registered_model(name).name)


def _add_version(client: MlflowClient, name: str) -> str:
    if name == "r0":
        client.create_registered_model("net")
    run = client.create_run("0").info.run_id
    return str(client.create_model_version("net", f"runs:/{run}/x", run, await_creation_for=0).version)


def _add_logged_model(client: MlflowClient, name: str) -> str:
    return str(client.create_logged_model("0", name).model_id)


LISTS: dict[
    str, tuple[Callable[[MlflowClient, str], str], Callable[[MlflowClient, str], object], str, str]
] = {
    "experiments": (
        _add_experiment,
        MlflowClient.delete_experiment,
        "experiments(first: 4, after: $after) { nodes { key: experimentId } %page }",
        "experiments",
    ),
    "experiments by update": (
        _add_experiment,
        MlflowClient.delete_experiment,
        """experiments(first: 4, after: $after, orderBy: [{attribute: UPDATED_AT}])
        { nodes { key: experimentId } %page }""",
        "experiments",
    ),
    "registered models": (
        _add_model,
        MlflowClient.delete_registered_model,
        "registeredModels(first: 4, after: $after) { nodes { key: name } %page }",
        "registeredModels",
    ),
    "versions": (
        _add_version,
        lambda client, version: client.delete_model_version("net", version),
        'registeredModel(name: "net") { versions(first: 4, after: $after) { nodes { key: version } %page } }',
        "registeredModel.versions",
    ),
    "logged models": (
        _add_logged_model,
        MlflowClient.delete_logged_model,
        """experiment(experimentId: "0") {
        loggedModels(first: 4, after: $after) { nodes { key: modelId } %page } }""",
        "experiment.loggedModels",
    ),
}
"""How to add and delete an object of a list, its query, and the path of its connection."""


@pytest.mark.parametrize("name", LISTS)
async def test_each_object_of_a_list_is_on_one_page(
    request: pytest.FixtureRequest, paged_store: Store, name: str
) -> None:
    """While objects are added and read ones deleted, no other object of any list is repeated or missing."""
    is_azure = paged_store.kind is StoreKind.AZURE_ML
    if is_azure and name == "logged models":
        pytest.skip("A workspace has no logged models.")
    uri = request.getfixturevalue("azure").upstream if is_azure else paged_store.uri
    client = MlflowClient(uri, uri)
    add, delete, query, path = LISTS[name]
    keys = [str(add(client, f"r{number}")) for number in range(14)]
    page_fields = "pageInfo { hasNextPage endCursor }"
    text = f"query ($after: String) {{ {query.replace('%page', page_fields)} }}"
    found: list[str] = []
    deleted: set[str] = set()
    after, number = None, 0
    async with graphql_client(paged_store.uri, **UNCACHED) as graphql:
        while True:
            page = await graphql.data(text, after=after)
            for part in path.split("."):
                page = page[part]
            found += [node["key"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            number += 1
            for prefix in ("a", "z"):
                add(client, f"{prefix}{number}")
            if number == 2:
                # The first one and the last one that was read.
                deleted = {found[0], found[-1]} & set(keys)
                for key in deleted:
                    delete(client, key)
    assert len(found) == len(set(found))
    assert set(keys) <= set(found)
