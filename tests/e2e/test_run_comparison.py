"""Comparisons of runs, over each kind of store."""

import math
from collections import Counter
from typing import Any

import httpx
import pytest
from mlflow.entities import Metric, Param

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.stores.mlflow.tracking import MlflowTracking
from tests.e2e.test_store_calls import statements
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

COMPARISON = """
query ($ids: [ID!]!) { compareRuns(runIds: $ids) {
  runs { runId experiment { name } }
  params { key differs values }
  metrics { key differs values minimum maximum }
  tags { key differs values }
} }
"""


def fill(store: Store, count: int) -> list[str]:
    """Log runs with one equal param, one different param and metrics, some of which are not finite."""
    odd = [math.nan, math.inf, -math.inf, 0.25]
    ids = []
    for number in range(count):
        run_id: str = store.client.create_run("0").info.run_id
        metrics = [Metric("odd", odd[number % 4], 1, 0), Metric("n/ü", float(number), 1, 5)]
        params = [Param("same", "é"), Param("number", str(number))]
        store.client.log_batch(run_id, metrics, params + ([Param("last", "")] if number == 1 else []))
        ids.append(run_id)
    return ids


def row(data: Any, kind: str, key: str) -> Any:
    """Return the row of a key in a comparison."""
    (entry,) = [row for row in data["compareRuns"][kind] if row["key"] == key]
    return entry


async def test_runs_are_compared_in_requested_order(store: Store) -> None:
    """Every store returns the same rows, in the requested order, deleted runs included."""
    a, b, c, d = fill(store, 4)
    store.client.delete_run(c)
    async with graphql_client(store.uri) as graphql:
        data = await graphql.data(COMPARISON, ids=[d, c, b, a, d])
    default = {"name": "Default"}
    assert data["compareRuns"]["runs"] == [
        {"runId": run_id, "experiment": default} for run_id in (d, c, b, a, d)
    ]
    assert data["compareRuns"]["params"] == [
        {"key": "last", "differs": True, "values": [None, None, "", None, None]},
        {"key": "number", "differs": True, "values": ["3", "2", "1", "0", "3"]},
        {"key": "same", "differs": False, "values": ["é"] * 5},
    ]
    assert data["compareRuns"]["metrics"] == [
        {"key": "n/ü", "differs": True, "values": [3, 2, 1, 0, 3], "minimum": 0, "maximum": 3},
        {
            "key": "odd",
            "differs": True,
            "values": [0.25, None, None, None, 0.25],
            "minimum": 0.25,
            "maximum": 0.25,
        },
    ]
    assert row(data, "tags", "mlflow.runName")["differs"]


async def test_infinities_differ(store: Store) -> None:
    """Positive and negative infinity are both null in the result, and reported as different."""
    _, b, c, _ = fill(store, 4)
    async with graphql_client(store.uri) as graphql:
        odd = row(await graphql.data(COMPARISON, ids=[b, c]), "metrics", "odd")
        assert odd == {"key": "odd", "differs": True, "values": [None] * 2, "minimum": None, "maximum": None}
        assert not row(await graphql.data(COMPARISON, ids=[b, b]), "metrics", "odd")["differs"]


async def test_absent_run_is_named(store: Store) -> None:
    """An unknown run makes the comparison NOT_FOUND, and a malformed id BAD_USER_INPUT."""
    (run_id,) = fill(store, 1)
    unknown = ["f" * 32, "0" * 32]
    async with graphql_client(store.uri) as graphql:
        error = await graphql.error(COMPARISON, ids=[run_id, *unknown])
        assert error["extensions"]["code"] == "NOT_FOUND"
        assert error["message"] == f"There is no run {unknown[0]}, {unknown[1]}."
        assert (await graphql.error(COMPARISON, ids=[run_id, "../x"]))["extensions"][
            "code"
        ] == "BAD_USER_INPUT"


async def test_compared_runs_are_limited(sqlite_store: Store) -> None:
    """As many runs as the setting allows are compared, and one more is refused."""
    ids = fill(sqlite_store, 3)
    async with graphql_client(sqlite_store.uri, max_compared_runs=2) as graphql:
        assert len((await graphql.data(COMPARISON, ids=ids[:2]))["compareRuns"]["runs"]) == 2
        error = await graphql.error(COMPARISON, ids=ids)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "at most 2 runs (GQL_MAX_COMPARED_RUNS)" in error["message"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_comparison_takes_a_fixed_number_of_statements(
    request: pytest.FixtureRequest, kind: str
) -> None:
    """A database executes one statement for the experiments, and one for the runs and what they logged.

    Postgres returns what the runs logged with the runs; others have a statement for each kind of data.
    """
    store: Store = request.getfixturevalue(f"{kind}_store")
    ids = fill(store, 12)
    async with graphql_client(store.uri) as graphql:
        await graphql.data("{ experiments { totalCount } }")
        for some in (ids[:2], ids):
            with statements() as executed:
                await graphql.data(COMPARISON, ids=some)
            selects = [one for one in executed if one.lstrip().startswith("SELECT")]
            assert len(selects) == (2 if kind == "postgres" else 5)


async def test_comparison_takes_one_search_on_a_server(server_store: Store) -> None:
    """On an MLflow server the search for the runs returns everything that is compared."""
    ids = fill(server_store, 12)
    tracking = MlflowTracking(server_store.uri, LIMITS.store)
    app = create_app(Settings(tracking_uri=server_store.uri), tracking)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
        await GraphQLClient(client).data(COMPARISON, ids=ids)
    await tracking.close()
    assert tracking.calls == Counter(search_experiments=1, search_runs=1, get_experiment=1)
