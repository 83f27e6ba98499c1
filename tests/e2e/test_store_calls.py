"""The number of store calls of a nested query."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from mlflow.entities import Metric, Param
from sqlalchemy import Engine, event

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.sql.event_loop.loop_session import LoopSession
from gql_server.stores.sql.prepared_statement import PreparedStatement
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.limits import LIMITS
from tests.support.stores.store import Store

NESTED = """
{ experiments(filter: "name LIKE 'nested %'") {
    totalCount
    nodes {
      name tags { key }
      runs {
        totalCount
        nodes {
          name experiment { name } params { key value } tags { key }
          metrics { key value history { step value } }
        }
      }
    } } }
"""


def fill(store: Store, experiments: int, runs: int) -> None:
    """Log runs with params, metrics and histories in several experiments."""
    for number in range(experiments):
        experiment = store.client.create_experiment(f"nested {number}")
        for _ in range(runs):
            run = store.client.create_run(experiment).info.run_id
            points = [Metric("loss", step / 2, 1, step) for step in range(3)]
            store.client.log_batch(run, points, [Param("lr", "0.1")])


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements on any database during the block, in threads and on the event loop."""
    executed: list[str] = []
    fetch_on_loop = LoopSession._fetch_all  # noqa: SLF001 - asyncpg has no event of SQLAlchemy

    def listen(*arguments: object) -> None:
        executed.append(str(arguments[2]))

    def fetch_all(session: LoopSession, statement: Any, values: Any) -> Any:
        text = statement.text if isinstance(statement, PreparedStatement) else None
        executed.append(text or str(statement))
        return fetch_on_loop(session, statement, values)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        with patch.object(LoopSession, "_fetch_all", fetch_all):
            yield executed
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_statements_do_not_depend_on_row_count(request: pytest.FixtureRequest, kind: str) -> None:
    """On a database a query for many experiments and runs executes as many statements as for few."""
    store: Store = request.getfixturevalue(f"{kind}_store")
    counts = []
    for experiments, runs in ((2, 1), (5, 4)):
        fill(store, experiments, runs)
        async with graphql_client(store.uri) as graphql:
            await graphql.data("{ experiments { totalCount } }")
            with statements() as executed:
                data = await graphql.data(NESTED)
        assert len(data["experiments"]["nodes"]) == experiments
        counts.append(len(executed))
        for experiment in store.client.search_experiments(filter_string="name LIKE 'nested %'"):
            store.client.rename_experiment(experiment.experiment_id, f"done {experiment.experiment_id}")
    assert counts[0] == counts[1]
    # One for each of ten fields, two for the histories, and on some databases one to find an index on runs.
    assert counts[1] <= 14


async def test_server_calls_depend_on_experiments_and_metrics(server_store: Store) -> None:
    """On a server it takes two searches per experiment and one call per metric, for any number of runs."""
    fill(server_store, 3, 5)
    tracking = MlflowTracking(server_store.uri, LIMITS.store)
    app = create_app(Settings(tracking_uri=server_store.uri), tracking)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
        data = await GraphQLClient(client).data(NESTED)
    await tracking.close()
    assert [len(node["runs"]["nodes"]) for node in data["experiments"]["nodes"]] == [5, 5, 5]
    assert tracking.calls == Counter(
        search_experiments=2, search_runs=6, get_experiment=3, get_metric_history_bulk=1
    )
