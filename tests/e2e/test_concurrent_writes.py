"""Concurrent writers on every kind of store."""

import asyncio

from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.app.mutations import mutate
from tests.support.stores.store import Store


async def test_concurrent_writers_lose_nothing(store: Store) -> None:
    """Two servers that log to one run at the same time lose nothing and cause no error.

    A file store has no transactions: there one server executes the changes one after another.
    """
    run_id = store.client.create_run("0").info.run_id

    async def log(graphql: GraphQLClient, writer: int) -> None:
        for batch in range(4):
            metrics = [
                {"key": f"m{key}", "value": writer + key / 8, "step": batch * 10 + writer} for key in range(8)
            ]
            params = [{"key": f"p{batch}", "value": "same"}, {"key": f"own{writer}{batch}", "value": "x"}]
            tags = [{"key": f"t{batch}", "value": "same"}]
            await mutate(graphql, "logBatch", runId=run_id, metrics=metrics, params=params, tags=tags)

    async with (
        graphql_client(store.uri, writable=True) as one,
        graphql_client(store.uri, writable=True) as second,
    ):
        other = one if store.kind is StoreKind.FILE else second
        await asyncio.gather(log(one, 0), log(other, 1), log(one, 2), log(other, 3))
    run = store.client.get_run(run_id)
    assert len(run.data.params) == 4 + 4 * 4
    for key in range(8):
        steps = [point.step for point in store.client.get_metric_history(run_id, f"m{key}")]
        assert sorted(steps) == sorted(batch * 10 + writer for batch in range(4) for writer in range(4))
