"""Pages of runs have each run once, also if runs are added and deleted between the pages."""

from typing import Any

import pytest

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
    run: str = store.client.create_run(experiment, start_time, {"t": "x"}, name).info.run_id
    store.client.log_metric(run, "m", start_time % 3)
    return run


async def _pages(graphql: Any, search: str, between: Any) -> list[str]:
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
        between(number)
    message = "The pages do not end."
    raise AssertionError(message)


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
async def test_each_run_is_on_one_page(paged_store: Store, search: str) -> None:
    """While newer and older runs are added and read runs deleted, no other run is repeated or missing."""
    experiment = paged_store.client.create_experiment("paged")
    # Several runs start at the same time.
    starts = [1_000 + 10 * (number // 3) for number in range(20)]
    runs = {_add(paged_store, experiment, start, f"r{index:02}"): start for index, start in enumerate(starts)}
    deleted: list[str] = []

    def change(number: int) -> None:
        _add(paged_store, experiment, 5_000 + number, f"z{number}")
        _add(paged_store, experiment, 10 + number, f"a{number}")
        if number == 1:
            # One of the first and one of the last runs, in both directions.
            deleted.extend([min(runs, key=runs.__getitem__), max(runs, key=runs.__getitem__)])
            for run in deleted:
                paged_store.client.delete_run(run)

    async with graphql_client(paged_store.uri, **UNCACHED) as graphql:
        found = await _pages(graphql, search, change)
    assert len(found) == len(set(found))
    assert set(runs) - set(deleted) <= set(found)


async def test_runs_without_a_start_are_on_the_last_page(paged_store: Store) -> None:
    """Runs without a start time come last in both directions, once."""
    experiment = paged_store.client.create_experiment("paged")
    runs = [_add(paged_store, experiment, start, f"r{start}") for start in (1, 2, 3, 4, 5, 6)]
    create = paged_store.client._tracking_client.store.create_run  # noqa: SLF001 - the client sets a time
    unknown = {create(experiment, "u", 0, [], f"u{number}").info.run_id for number in range(5)}
    async with graphql_client(paged_store.uri, **UNCACHED) as graphql:
        for search, known in ((SEARCHES["default"], runs[::-1]), (SEARCHES["ascending"], runs)):
            found = await _pages(graphql, search, lambda _: None)
            assert found[:6] == known
            assert (set(found[6:]), len(found)) == (unknown, 11)
