"""Runs and their child runs, on each kind of store."""

from collections import Counter
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.stores.mlflow.tracking import MlflowTracking
from tests.e2e.test_store_calls import statements
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

PARENT = "mlflow.parentRunId"
ROOTS = """
query ($where: RunFilter) { runs(where: $where, orderBy: [{attribute: NAME}]) {
  nodes {
    name
    children(first: 2, orderBy: [{param: "n", direction: DESC}]) {
      totalCount
      pageInfo { hasNextPage }
      nodes { name parent { name } children { totalCount nodes { name parent { parent { name } } } } }
    }
  }
} }
"""


def log(store: Store, name: str, parent: str | None = None, experiment: str = "0", **params: str) -> str:
    """Log a run, as the child of another if one is given, and return its id."""
    tags = {} if parent is None else {PARENT: parent}
    run_id: str = store.client.create_run(experiment, run_name=name, tags=tags).info.run_id
    for key, value in params.items():
        store.client.log_param(run_id, key, value)
    return run_id


def tree(store: Store) -> list[str]:
    """Log two roots with three and two children, some with children, and return the ids of the roots."""
    roots = [log(store, "a"), log(store, "b")]
    children = [log(store, f"a{number}", roots[0], n=str(number)) for number in (2, 9, 10)]
    log(store, "b1", roots[1], n="1")
    store.client.delete_run(log(store, "b2", roots[1], n="2"))
    log(store, "a9x", children[1])
    return roots


def _nodes(data: Any) -> list[Any]:
    return [node["name"] for node in data["nodes"]]


async def test_runs_have_children_on_three_levels(store: Store) -> None:
    """Each run has its own page of children, its count and its parent; deleted children are omitted."""
    tree(store)
    async with graphql_client(store.uri) as graphql:
        data = await graphql.data(ROOTS, where={"parentRunId": {"isNull": True}})
    first, second = data["runs"]["nodes"]
    assert (first["name"], second["name"]) == ("a", "b")
    assert first["children"]["totalCount"] == 3
    assert first["children"]["pageInfo"] == {"hasNextPage": True}
    assert first["children"]["nodes"] == [
        {"name": "a10", "parent": {"name": "a"}, "children": {"totalCount": 0, "nodes": []}},
        {
            "name": "a9",
            "parent": {"name": "a"},
            "children": {
                "totalCount": 1,
                "nodes": [{"name": "a9x", "parent": {"parent": {"name": "a"}}}],
            },
        },
    ]
    assert (second["children"]["totalCount"], _nodes(second["children"])) == (1, ["b1"])


async def test_children_are_paged(store: Store) -> None:
    """The cursors of one run's children lead through all of them, and are valid for that run alone."""
    roots = tree(store)
    query = """query ($id: ID!, $after: String) { run(runId: $id) {
      children(first: 2, after: $after, where: {param: [{key: "n", gt: 1}]}, orderBy: [{attribute: NAME}]) {
        totalCount nodes { name } pageInfo { endCursor hasNextPage } } } }"""
    async with graphql_client(store.uri) as graphql:
        page = (await graphql.data(query, id=roots[0]))["run"]["children"]
        assert (page["totalCount"], _nodes(page)) == (3, ["a10", "a2"])
        after = page["pageInfo"]["endCursor"]
        rest = (await graphql.data(query, id=roots[0], after=after))["run"]["children"]
        assert (_nodes(rest), rest["pageInfo"]["hasNextPage"]) == (["a9"], False)
        error = await graphql.error(query, id=roots[1], after=after)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_parent_tag_may_name_any_run(store: Store) -> None:
    """A tag that names no run is no parent and no error; a parent may be deleted or in another experiment."""
    other = store.client.create_experiment("other")
    root = log(store, "root", experiment=other)
    log(store, "near", root)
    log(store, "far", root, experiment=other)
    for number, value in enumerate(["nothing", "0" * 32, "no id at all", "'", "日本", "x" * 300]):
        log(store, f"odd {number}", value)
    store.client.delete_run(root)
    query = "{ runs(orderBy: [{attribute: NAME}]) { nodes { name parent { name lifecycleStage } } } }"
    async with graphql_client(store.uri) as graphql:
        nodes = (await graphql.data(query))["runs"]["nodes"]
        children = await graphql.data(
            "query ($id: ID!) { run(runId: $id) { children { nodes { name } } } }", id=root
        )
    deleted = {"name": "root", "lifecycleStage": "DELETED"}
    parents = {node["name"]: node["parent"] for node in nodes}
    assert parents == {"far": deleted, "near": deleted} | {f"odd {number}": None for number in range(6)}
    # Children are searched in the experiment of their parent.
    assert _nodes(children["run"]["children"]) == ["far"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_three_levels_take_a_fixed_number_of_statements(
    request: pytest.FixtureRequest, kind: str
) -> None:
    """On a database three levels take as many statements for many families as for one."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    counts = []
    for _ in range(2):
        tree(store)
        async with graphql_client(store.uri) as graphql:
            await graphql.data("{ experiments { totalCount } }")
            with statements() as executed:
                await graphql.data(ROOTS, where={"parentRunId": {"isNull": True}})
        counts.append(len(executed))
    assert counts[0] == counts[1] <= 16


async def test_child_level_takes_one_search_per_experiment(server_store: Store) -> None:
    """On a server a level of children takes one search per experiment, for any number of parents."""
    calls = []
    for _ in range(3):
        tree(server_store)
        tracking = MlflowTracking(server_store.uri, LIMITS.store)
        app = create_app(Settings(tracking_uri=server_store.uri), tracking)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            await GraphQLClient(client).data(ROOTS, where={"parentRunId": {"isNull": True}})
        await tracking.close()
        calls.append(Counter(tracking.calls))
    # One parent is read by its id, several by a search.
    assert calls[1] == calls[2]
    assert calls[2]["search_runs"] <= 8
