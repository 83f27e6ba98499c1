"""No document takes much more memory than the largest answer: a search for one that does."""

import asyncio
import gc
import tracemalloc
from typing import Any

from graphql import GraphQLList, get_named_type, get_nullable_type, is_leaf_type, is_object_type
from hypothesis import HealthCheck, Phase, example, given, settings, target
from hypothesis import strategies as st
from sqlalchemy import create_engine

from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.schema.document_strategies import SCHEMA
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

_ARGUMENTS = {
    "Run.param": 'key: "k1"',
    "Run.tag": 'key: "k1"',
    "Run.metric": 'key: "k1"',
    "Experiment.bestRun": 'metric: "k1"',
    "Experiment.tag": 'key: "k1"',
    "Query.experiment": 'experimentId: "1"',
}
_ROOTS = ("experiments", "runs", "runGroups", "runRows", "paramRows", "metricRows", "metricPointRows")
_LEFT_OUT = {"artifacts", "datasets", "loggedModels", "modelVersions", "registeredModels", "parent"}
"""Fields that find nothing in this store."""


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a document in which fields are repeated under many aliases, with the largest pages."""
    roots = draw(st.lists(st.sampled_from(_ROOTS), min_size=1, max_size=3))
    return "{" + " ".join(_fields(draw, "Query", name, depth=6) for name in roots) + "}"


def _fields(draw: st.DrawFn, parent: str, name: str, depth: int) -> str:
    """Return a field, once or under many aliases."""
    field = SCHEMA.type_map[parent].fields[name]  # type: ignore[attr-defined]
    type_ = get_named_type(field.type)
    arguments = [_ARGUMENTS[f"{parent}.{name}"]] if f"{parent}.{name}" in _ARGUMENTS else []
    arguments += ["first: 1000"] if "first" in field.args and not arguments else []
    selected = f"({', '.join(arguments)})" if arguments else ""
    if not is_leaf_type(type_):
        selected += _selection(draw, type_.name, depth - 1)
    times = draw(st.sampled_from([1, 1, 1, 2, 10, 60] if is_leaf_type(type_) else [1, 1, 1, 2, 8]))
    # Aliases of equal names merge, so each has its own.
    prefix = f"{name}_{draw(st.integers(0, 10**6))}"
    return " ".join(f"{prefix}_{number}: {name}{selected}" for number in range(times))


def _selection(draw: st.DrawFn, parent: str, depth: int) -> str:
    fields = SCHEMA.type_map[parent].fields  # type: ignore[attr-defined]
    possible = [
        name
        for name, field in fields.items()
        if name not in _LEFT_OUT
        and (is_leaf_type(get_named_type(field.type)) or (depth > 0 and _can_select(parent, name, field)))
    ]
    chosen = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3)) if possible else []
    return "{" + (" ".join(_fields(draw, parent, name, depth) for name in chosen) or "__typename") + "}"


def _can_select(parent: str, name: str, field: Any) -> bool:
    required = [argument for argument in field.args.values() if not _is_optional(argument)]
    return is_object_type(get_named_type(field.type)) and (not required or f"{parent}.{name}" in _ARGUMENTS)


def _is_optional(argument: Any) -> bool:
    return get_nullable_type(argument.type) is argument.type or isinstance(argument.type, GraphQLList)


def _aliased(field: str, leaf: str) -> str:
    """Return a document that repeats a field of each param or metric under 190 aliases."""
    leaves = " ".join(leaf.format(number) for number in range(190))
    return f"{{ runs(first: 1000) {{ nodes {{ {field} {{ {leaves} }} }} }} }}"


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
    @example(_aliased("params", "a{}: value"))
    @example(_aliased("metrics", "s{}: series {{ timestamps }}"))
    @example(_aliased("metrics", "h{}: history {{ step value timestamp }}"))
    def ask(document: str) -> None:
        peak = asyncio.run_coroutine_threadsafe(_peak(client, document), loop).result()
        # Documents that take more are varied more often.
        target(float(peak))
        assert peak < _ANSWER_BYTES + _DATA_BYTES, f"{peak:,} bytes"

    # Hypothesis calls a function that is not asynchronous, so it has a thread.
    await asyncio.to_thread(ask)
