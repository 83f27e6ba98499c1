"""No document takes much more memory than the largest answer: a search for one that does."""

import asyncio
import gc
import tracemalloc

from hypothesis import HealthCheck, Phase, example, given, settings, target
from sqlalchemy import create_engine

from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.schema.worst_documents import aliased, documents
from tests.support.stores.sql_rows import (
    insert_experiment,
    insert_latest_metrics,
    insert_params,
    insert_points,
    insert_runs,
    run_rows,
)
from tests.support.stores.store import Store

_MAX_BYTES = 2_000_000
_ANSWER_BYTES = 4 * _MAX_BYTES
"""The objects and the lists of an answer, its JSON, and the client's copy."""
_DATA_BYTES = 20_000_000
"""What is read for a selection, as columns: less than ten times the size of the store's rows."""
_RUNS, _KEYS, _POINTS = 400, 5, 100

_LIMITS = {"max_answer_bytes": _MAX_BYTES, "cache_running_seconds": 0}


def _fill(store: Store) -> None:
    engine = create_engine(store.uri)
    ids = insert_runs(engine, insert_experiment(engine, 1), run_rows(_RUNS))
    keys = [f"k{number}" for number in range(_KEYS)]
    insert_params(engine, [(id_, key, "x" * 100) for id_ in ids for key in keys])
    insert_latest_metrics(engine, [(id_, key, 0.5, False) for id_ in ids for key in keys])
    for id_ in ids[:40]:
        for key in keys:
            insert_points(engine, id_, key, [(step, step, step / 7) for step in range(_POINTS)])
    engine.dispose()


async def _peak(client: GraphQLClient, document: str) -> int:
    """Return the peak of Python's memory during a response, above the memory before."""
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    response = await client.response(document)
    assert response.headers["content-type"].startswith("application/")
    codes = {error["extensions"]["code"] for error in response.json().get("errors", [])}
    assert codes <= {"LIMIT_EXCEEDED"}, response.text[:500]
    _, peak = tracemalloc.get_traced_memory()
    return peak - before


async def test_no_document_takes_much_more_than_the_largest_answer(sqlite_store: Store) -> None:
    """Aliases, pages and nested lists of all kinds are stopped in time, or fit."""
    _fill(sqlite_store)
    async with graphql_client(sqlite_store.uri, **_LIMITS) as client:
        await client.data("{ runs { nodes { name params { key } metrics { series { steps } } } } }")
        tracemalloc.start()
        try:
            await _search(client)
        finally:
            tracemalloc.stop()


async def _search(client: GraphQLClient) -> None:
    loop = asyncio.get_running_loop()

    # Without shrinking: each step of it would take as much again.
    @settings(
        max_examples=25,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    @example(aliased("params", "a{}: value"))
    @example(aliased("metrics", "s{}: series {{ timestamps }}"))
    @example(aliased("metrics", "h{}: history {{ step value timestamp }}"))
    def ask(document: str) -> None:
        peak = asyncio.run_coroutine_threadsafe(_peak(client, document), loop).result()
        # Documents that take more are varied more often.
        target(float(peak))
        assert peak < _ANSWER_BYTES + _DATA_BYTES, f"{peak:,} bytes"

    # Hypothesis calls a function that is not asynchronous, so it has a thread.
    await asyncio.to_thread(ask)
