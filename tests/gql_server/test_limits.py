"""Answers that would be too large."""

from mlflow.entities import Metric

from tests.gql_server.asking import asking
from tests.stores import Store

HISTORIES = "{ runs { nodes { metrics { history { step } } } } }"


async def test_too_many_points_are_refused(store: Store) -> None:
    """More points than the bound are an error that names the bound; as many as the bound are answered."""
    for _ in range(4):
        run = store.client.create_run("0").info.run_id
        store.client.log_batch(run, [Metric("loss", 0.5, 1, step) for step in range(20)])
    async with asking(store.uri, max_points=79) as ask:
        error = await ask.error(HISTORIES)
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert "79" in error["message"]
        assert "GQL_MAX_POINTS" in error["message"]
    async with asking(store.uri, max_points=80) as ask:
        nodes = (await ask.data(HISTORIES))["runs"]["nodes"]
        assert [len(node["metrics"][0]["history"]) for node in nodes] == [20] * 4
