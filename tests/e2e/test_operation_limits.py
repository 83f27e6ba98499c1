"""Results that exceed a limit."""

import pytest
from mlflow.entities import Metric

from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

HISTORIES = "{ runs { nodes { metrics { history { step } } } } }"


async def test_points_are_limited(store: Store) -> None:
    """More points than the limit are an error that names the setting; up to the limit they are returned."""
    for _ in range(4):
        run = store.client.create_run("0").info.run_id
        store.client.log_batch(run, [Metric("loss", 0.5, 1, step) for step in range(20)])
    async with graphql_client(store.uri, max_points=79) as graphql:
        error = await graphql.error(HISTORIES)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "79" in error["message"]
        assert "GQL_MAX_POINTS" in error["message"]
        assert "maxPoints" in error["message"]
        sampled = HISTORIES.replace("history", "history(maxPoints: 19)")
        nodes = (await graphql.data(sampled))["runs"]["nodes"]
        assert [len(node["metrics"][0]["history"]) for node in nodes] == [19] * 4
    async with graphql_client(store.uri, max_sampled_points=79) as graphql:
        error = await graphql.error(sampled)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "GQL_MAX_SAMPLED_POINTS" in error["message"]
    async with graphql_client(store.uri, max_points=80) as graphql:
        nodes = (await graphql.data(HISTORIES))["runs"]["nodes"]
        assert [len(node["metrics"][0]["history"]) for node in nodes] == [20] * 4


ALIASED = (
    "{ runs { nodes { metrics { series { " + " ".join(f"t{n}: timestamps" for n in range(150)) + " } } } } }"
)


async def test_answers_are_limited_while_they_are_made(store: Store) -> None:
    """Aliases of a list count each: in the bytes of the answer, and in the cost before it is executed."""
    run = store.client.create_run("0").info.run_id
    store.client.log_batch(run, [Metric("loss", 0.5, 1000 + step, step) for step in range(1000)])
    async with graphql_client(store.uri, max_answer_bytes=1_000_000) as graphql:
        error = await graphql.error(ALIASED)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "1,000,000" in error["message"]
        assert "GQL_MAX_ANSWER_BYTES" in error["message"]
        few = "{ runs { nodes { metrics { series { timestamps steps } } } } }"
        assert len((await graphql.data(few))["runs"]["nodes"][0]["metrics"][0]["series"]["steps"]) == 1000
    async with graphql_client(store.uri, max_cost=150_000) as graphql:
        error = await graphql.error(ALIASED)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "GQL_MAX_COST" in error["message"]


KEY_LISTS = [
    ("{ runs(orderBy: [%s]) { nodes { runId } } }", '{metric: "m%d"}', "orderBy", "GQL_MAX_SORT_KEYS"),
    ("{ runs(orderBy: [%s]) { totalCount } }", '{param: "p%d"}', "orderBy", "GQL_MAX_SORT_KEYS"),
    ("{ runGroups(groupBy: [%s]) { count } }", '{param: "p%d"}', "groupBy", "GQL_MAX_SORT_KEYS"),
    ("{ runGroups(groupBy: [%s]) { count } }", '{tag: "t%d"}', "groupBy", "GQL_MAX_SORT_KEYS"),
    ("{ runGroups(metrics: [%s]) { metrics { key } } }", '"m%d"', "metrics", "GQL_MAX_PAGE_SIZE"),
    ("{ runs { nodes { params(keys: [%s]) { key } } } }", '"p%d"', "keys", "GQL_MAX_PAGE_SIZE"),
    ("{ experiments { nodes { tags(keys: [%s]) { key } } } }", '"t%d"', "keys", "GQL_MAX_PAGE_SIZE"),
    ("{ runs(experimentIds: [%s]) { totalCount } }", '"%d"', "experimentIds", "GQL_MAX_PAGE_SIZE"),
    ("{ runs(experimentNames: [%s]) { totalCount } }", '"n%d"', "experimentNames", "GQL_MAX_PAGE_SIZE"),
]


@pytest.mark.parametrize(("query", "entry", "argument", "setting"), KEY_LISTS)
async def test_lists_in_arguments_are_limited(
    store: Store, query: str, entry: str, argument: str, setting: str
) -> None:
    """As many different entries as the limit are executed on every store, and equal ones count once."""
    run = store.client.create_run("0").info.run_id
    store.client.log_batch(run, [Metric("m1", 0.5, 1, 0)])
    limit = 16 if setting == "GQL_MAX_SORT_KEYS" else 60
    entries = [entry % number for number in range(1, limit + 1)]
    async with graphql_client(store.uri, max_page_size=60) as graphql:
        await graphql.data(query % ", ".join([*entries, *entries[:5]]))
        error = await graphql.error(query % ", ".join([*entries, entry % (limit + 1)]))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert argument in error["message"]
        assert setting in error["message"]


FILTERED = [
    "{ runs(filter: $f) { totalCount } }",
    '{ runs(filter: $f, where: {name: {ne: "a"}}) { totalCount } }',
    "{ runGroups(groupBy: [{attribute: STATUS}], filter: $f) { count } }",
    "{ experiments { nodes { runs(filter: $f) { totalCount } } } }",
    "{ experiments(filter: $f) { totalCount } }",
    "{ registeredModels(filter: $f) { totalCount } }",
    "{ runRows(filter: $f) { runId } }",
    "{ paramRows(filter: $f) { value } }",
]


@pytest.mark.parametrize("query", FILTERED)
async def test_conditions_of_a_filter_are_limited(store: Store, query: str) -> None:
    """A filter of many comparisons, or a very long one, is refused equally on every kind of store."""
    store.client.create_run("0")
    comparison = "tags.a = 'b'" if "runs" in query.lower() or "Rows" in query else "name = 'b'"
    document = f"query ($f: String) {query}"
    async with graphql_client(store.uri) as graphql:
        for joined, bound in ((" and ", "GQL_MAX_CONDITIONS"), (" ", "GQL_MAX_CONDITIONS")):
            error = await graphql.error(document, f=joined.join([comparison] * 501))
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert bound in error["message"]
        error = await graphql.error(document, f=" and ".join([comparison] * 50_000))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "20,000" in error["message"]


async def test_shared_filter_counts_for_each_field(sqlite_store: Store) -> None:
    """A filter that many fields use is parsed for each of them, so it counts for each."""
    text = f"params.a = '{'b' * 15_000}'"
    fields = " ".join(f"a{index}: runs(filter: $f) {{ totalCount }}" for index in range(4))
    async with graphql_client(sqlite_store.uri) as graphql:
        assert await graphql.data("query ($f: String) { runs(filter: $f) { totalCount } }", f=text)
        unread = await graphql.error("query ($f: String) { runs(filter: $f) { totalCount } }", f=f"{text} x")
        assert len(unread["message"]) < 1000
        error = await graphql.error(f"query ($f: String) {{ {fields} }}", f=text)
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "60,000" in error["message"]


async def test_maximum_of_conditions_is_executed(sqlite_store: Store) -> None:
    """A filter and a condition that together reach the largest limit are executed, also by SQLite."""
    sqlite_store.client.create_run("0")
    query = "query ($f: String, $w: RunFilter) { runs(filter: $f, where: $w) { totalCount } }"
    where = {"and": [{"name": {"eq": "a"}}] * 199}
    async with graphql_client(sqlite_store.uri, max_conditions=900) as graphql:
        text = " and ".join(["params.a = 'b'"] * 500)
        assert (await graphql.data(query, f=text, w=where))["runs"]["totalCount"] == 0
        error = await graphql.error(query, f=f"{text} and params.a = 'b'", w=where)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "including the comparisons of filter" in error["message"]
