"""Flat rows over every kind of store, as BI tools read them."""

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.stores.store import Store

PAGED = """query ($first: Int!, $offset: Int!) {
  runRows(first: $first, offset: $offset) { runId experimentName runName status lifecycleStage userId
    startedAt endedAt durationSeconds parentRunId experimentId }
  paramRows(first: $first, offset: $offset) { ...P }
  tagRows(first: $first, offset: $offset, key: "team") { runName runId experimentName experimentId key value }
  metricRows(first: $first, offset: $offset) {
    runId runName experimentId experimentName key value valueText step timestamp }
  metricPointRows(first: $first, offset: $offset) {
    runId runName experimentId experimentName key value valueText step timestamp }
}
fragment P on ParamRow { runId runName experimentId experimentName key value }"""
LISTS = ("runRows", "paramRows", "tagRows", "metricRows", "metricPointRows")
VALUES = [0.1, math.nan, math.inf, -math.inf, -2.5, 1e-300]


def fill(client: MlflowClient) -> list[str]:
    """Log five runs in two experiments, the last one a child of the first; return their ids, newest first."""
    other = client.create_experiment("other")
    ids: list[str] = []
    for number in range(5):
        experiment = other if number == 3 else "0"
        tags = {"team": 'ünïcode, "quoted"\n', "mlflow.runName": f"run {number}"}
        if number == 4:
            tags["mlflow.parentRunId"] = ids[0]
        run_id = client.create_run(experiment, start_time=1_700_000_000_000 + number, tags=tags).info.run_id
        points = [Metric("loss", value, 10 + step, step) for step, value in enumerate(VALUES)]
        points += [Metric("acc", 0.5, 10, 2**53 - 1)] if number else []
        client.log_batch(
            run_id, points, [Param("lr", "0.1"), Param("a:x", "=1+1")], [RunTag("n", str(number))]
        )
        if number:
            client.set_terminated(run_id, end_time=1_700_000_001_000 + number)
        ids.append(run_id)
    return ids[::-1]


@pytest.fixture
async def graphql(store: Store) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server over a store with five runs."""
    fill(store.client)
    async with graphql_client(store.uri) as graphql:
        yield graphql


async def test_rows_equal_mlflow_client(store: Store) -> None:
    """Each table has the rows that MLflow's client returns, in the documented order."""
    ids = fill(store.client)
    async with graphql_client(store.uri) as graphql:
        data = await graphql.data(PAGED, first=100, offset=0)
    assert [row["runId"] for row in data["runRows"]] == ids
    newest, oldest = data["runRows"][0], data["runRows"][-1]
    assert newest["parentRunId"] == ids[-1]
    assert newest["durationSeconds"] == 1.0
    assert newest["experimentName"] == "Default"
    assert data["runRows"][1]["experimentName"] == "other"
    assert (oldest["endedAt"], oldest["durationSeconds"], oldest["parentRunId"]) == (None, None, None)
    assert oldest["startedAt"] == "2023-11-14T22:13:20.000Z"
    assert [(row["runId"], row["key"], row["value"]) for row in data["paramRows"]] == [
        (run_id, key, value) for run_id in ids for key, value in (("a:x", "=1+1"), ("lr", "0.1"))
    ]
    assert [(row["runId"], row["value"]) for row in data["tagRows"]] == [
        (run_id, 'ünïcode, "quoted"\n') for run_id in ids
    ]
    names = {row["runId"]: (row["runName"], row["experimentName"]) for row in data["runRows"]}
    assert set(names.values()) == {(f"run {n}", "other" if n == 3 else "Default") for n in range(5)}
    for rows in LISTS[1:]:
        assert [(row["runName"], row["experimentName"]) for row in data[rows]] == [
            names[row["runId"]] for row in data[rows]
        ]
    assert [(row["runId"], row["key"]) for row in data["metricRows"]] == [
        (run_id, key) for run_id in ids for key in ("acc", "loss") if (run_id, key) != (ids[-1], "acc")
    ]
    losses = [row for row in data["metricPointRows"] if row["key"] == "loss"]
    texts = ["0.1", "NaN", "Infinity", "-Infinity", "-2.5", "1e-300"]
    assert [(row["runId"], row["step"], row["valueText"]) for row in losses] == [
        (run_id, step, text) for run_id in ids for step, text in enumerate(texts)
    ]
    assert [row["value"] for row in losses[:6]] == [0.1, None, None, None, -2.5, 1e-300]
    accuracy = [row for row in data["metricPointRows"] if row["key"] == "acc"]
    assert {row["step"] for row in accuracy} == {2**53 - 1}


@pytest.mark.parametrize("size", [1, 3, 7])
async def test_pages_by_offset_cover_all_rows(graphql: GraphQLClient, size: int) -> None:
    """Consecutive pages by offset contain each row once, in order."""
    everything = await graphql.data(PAGED, first=100, offset=0)
    joined: dict[str, list[Any]] = {name: [] for name in LISTS}
    for offset in range(0, 40, size):
        page = await graphql.data(PAGED, first=size, offset=offset)
        for name in LISTS:
            assert len(page[name]) <= size
            joined[name] += page[name]
    assert joined == everything


async def test_page_past_the_end_is_empty(graphql: GraphQLClient) -> None:
    """An offset past the end returns no rows and no error: ETL tools request one page too many."""
    data = await graphql.data(PAGED, first=10, offset=2**31 - 1)
    assert data == {name: [] for name in LISTS}
    assert await graphql.data("{ experimentRows(offset: 100) { name } }") == {"experimentRows": []}
    page = await graphql.data("{ runs(first: 0) { pageInfo { endCursor } } }")
    assert page["runs"]["pageInfo"]["endCursor"] is None


async def test_rows_are_selected_by_experiment_filter_and_key(graphql: GraphQLClient) -> None:
    """An experiment's name, MLflow's filter string and a key each select rows."""
    one = await graphql.data('{ runRows(experiment: "other") { runName } }')
    assert [row["runName"] for row in one["runRows"]] == ["run 3"]
    two = await graphql.data('{ paramRows(filter: "tags.n = \'2\'", key: "lr") { key value } }')
    assert two["paramRows"] == [{"key": "lr", "value": "0.1"}]
    three = await graphql.data('{ metricPointRows(key: "acc", experiment: "other") { step } }')
    assert len(three["metricPointRows"]) == 1
    none = await graphql.data('{ metricRows(key: "no such key") { key } tagRows(key: "") { key } }')
    assert none == {"metricRows": [], "tagRows": []}


async def test_experiment_rows_have_times(graphql: GraphQLClient) -> None:
    """Rows of experiments have their times."""
    rows = (await graphql.data("{ experimentRows { experimentId name lifecycleStage createdAt } }"))[
        "experimentRows"
    ]
    assert {row["name"] for row in rows} == {"Default", "other"}
    assert {row["lifecycleStage"] for row in rows} == {"ACTIVE"}
    assert all(row["createdAt"] for row in rows)


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("{ runRows(first: 10001) { runId } }", "BAD_USER_INPUT", "GQL_MAX_ROWS"),
        ("{ runRows(first: -1) { runId } }", "BAD_USER_INPUT", "GQL_MAX_ROWS"),
        ("{ runRows(offset: -1) { runId } }", "BAD_USER_INPUT", "offset"),
        ('{ runRows(experiment: "nobody\'s") { runId } }', "NOT_FOUND", "nobody's"),
        ('{ paramRows(filter: "params.lr =") { key } }', "BAD_USER_INPUT", ""),
        ('{ metricPointRows(filter: "((") { key } }', "BAD_USER_INPUT", ""),
    ],
)
async def test_bad_rows_arguments_are_refused(
    graphql: GraphQLClient, query: str, code: str, message: str
) -> None:
    """Invalid arguments are an error that explains the mistake."""
    error = await graphql.error(query)
    assert error["extensions"]["code"] == code
    assert message in error["message"]


async def test_rows_are_available_by_get(graphql: GraphQLClient) -> None:
    """GET returns rows, too: some tools with stored credentials send only GET."""
    query = "{ runRows(first: 2, filter: \"attributes.run_name = 'run 3'\") { runName } }"
    response = await graphql.http.get("/graphql", params={"query": query})
    assert response.json() == {"data": {"runRows": [{"runName": "run 3"}]}}
