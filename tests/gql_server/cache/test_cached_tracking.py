"""The cached ports return the results of their store with fewer calls."""

import asyncio
import secrets
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.factory import open_cache
from gql_server.cache.ttl import TimeToLive
from schema.ports.errors import StoreUnavailable
from schema.ports.tracking import Page, Sample, Search
from tests.gql_server.cache.conftest import CACHE_LIMITS
from tests.support.app.cache_stack import (
    EXPERIMENT_IDS,
    KEYS,
    RUN_IDS,
    TTL,
    CacheStack,
    PortCall,
    make_stack,
    plain_values,
    records,
)
from tests.support.clock import Clock
from tests.support.schema.memory_tracking import MemoryTracking

LISTS = ("params", "tags", "metrics")
RUN_COLUMNS = ["run_id", "name", "status", "ended_at", "experiment_id"]
ALL: Page = Page(100, None, frozenset({"run_id", "name"}))

_some_runs = st.lists(st.sampled_from(RUN_IDS), max_size=5)
_some_keys = st.none() | st.sets(st.sampled_from([*KEYS, "absent"]))
_columns = st.sets(st.sampled_from([*RUN_COLUMNS, *LISTS]), min_size=1)
_pages = st.builds(
    Page, st.integers(0, 4), st.sampled_from([None, [1], [2]]), st.frozensets(st.sampled_from(RUN_COLUMNS))
)
_scopes = st.lists(
    st.none() | st.lists(st.sampled_from(EXPERIMENT_IDS), min_size=1, unique=True).map(tuple), max_size=3
)
_steps = st.sampled_from([None, 0, 2, 2**62])
_samples = st.none() | st.builds(Sample, st.sampled_from([2, 3]), st.sampled_from(["lttb", "every_nth"]))


@st.composite
def calls(draw: st.DrawFn) -> tuple[PortCall, Collection[str]]:
    """Draw a call of the port, and the columns that it requests."""
    kind = draw(
        st.sampled_from(
            ["runs", "runs_by_id", "logged", "histories", "experiments", "by_name", "tags", "count"]
        )
    )
    runs, keys, columns, page = draw(_some_runs), draw(_some_keys), draw(_columns), draw(_pages)
    scopes, logged = draw(_scopes), draw(st.sampled_from(LISTS))
    ids = draw(st.lists(st.sampled_from([*EXPERIMENT_IDS, "absent"]), max_size=4))
    first, last, sample = draw(_steps), draw(_steps), draw(_samples)
    series = [(run_id, draw(st.sampled_from(KEYS))) for run_id in runs]
    names = frozenset({"experiment_id", "name"})
    port_calls: dict[str, tuple[PortCall, Collection[str]]] = {
        "runs": (lambda port: port.runs(scopes, Search(), page), page.columns),
        "runs_by_id": (lambda port: port.runs_by_id([*runs, *ids], columns), columns),
        "logged": (lambda port: getattr(port, logged)(runs, keys), ()),
        "histories": (lambda port: port.histories(series, first, last, sample), ()),
        "experiments": (lambda port: port.experiments(Search(), replace(page, columns=names)), names),
        "by_name": (
            lambda port: port.experiments_by_name([f"experiment {id_}" for id_ in ids], names),
            names,
        ),
        "tags": (lambda port: port.experiment_tags([id_ for id_ in ids if id_ != "absent"], keys), ()),
        "count": (lambda port: port.count_runs(scopes, Search()), ()),
    }
    return port_calls[kind]


_changes = st.tuples(st.sampled_from(RUN_IDS), st.sampled_from(["FINISHED", "RUNNING"]), st.integers(1, 3))
_steps_taken = st.lists(
    st.tuples(calls(), st.sampled_from(list(CacheControl)), st.sampled_from([None, "one"])) | _changes,
    max_size=25,
)


async def _compare(stack: CacheStack, steps: list[Any]) -> None:
    for first, *rest in steps:
        if isinstance(first, str):
            status, number = rest
            change = {"status": status, "name": f"changed {number}", "ended_at": number}
            stack.run(first).update(change)
            stack.run(first)["params"] = [{"key": "a", "value": str(number)}]
            await stack.cached_store.invalidate(run_ids=[first])
        else:
            call, columns = first
            cache_control, principal = rest
            expected = plain_values(await call(stack.store), columns)
            assert plain_values(await call(stack.operation(principal, cache_control)), columns) == expected


@settings(deadline=None, max_examples=150)
@given(_steps_taken)
def test_cached_results_equal_the_stores(steps: list[Any]) -> None:
    """Results are equal over any sequence of overlapping calls and of writes with invalidation."""
    asyncio.run(_compare(make_stack(), steps))


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_steps_taken)
def test_results_cached_in_redis_equal_the_stores(redis_url: str, steps: list[Any]) -> None:
    """Results are equal with the cache in Redis too."""

    async def check() -> None:
        cache = open_cache(redis_url, secrets.token_hex(8), CACHE_LIMITS)
        store = MemoryTracking(records(), include_related=True)
        cached_store = CachedStore(
            store, store.artifacts, cache, ttl=TimeToLive.from_limits(CACHE_LIMITS), max_points=1_000_000
        )
        await _compare(CacheStack(store, cached_store, cache, Clock()), steps)
        assert cache.circuit_breaker.failures == 0
        await cache.close()

    asyncio.run(check())


_METHODS = (
    "runs",
    "runs_by_id",
    "params",
    "tags",
    "metrics",
    "histories",
    "experiments",
    "experiments_by_id",
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(calls(), st.none() | st.integers(0, 8)), max_size=8), st.integers(0, 3))
def test_concurrent_cached_results_equal_the_stores(operations: list[Any], pause: int) -> None:
    """Results of concurrent operations are equal, though some operations are cancelled."""

    async def operate(stack: CacheStack, call: PortCall, steps: int | None) -> Any:
        task = asyncio.ensure_future(call(stack.operation()))
        for _ in range(steps or 0):
            await asyncio.sleep(0)
        if steps is not None:
            task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async def check() -> None:
        stack = make_stack()
        expected = [plain_values(await call(stack.store), columns) for (call, columns), _ in operations]
        stack.store.pauses.update(dict.fromkeys(_METHODS, pause))
        results = await asyncio.gather(*(operate(stack, call, steps) for (call, _), steps in operations))
        for result, ((_, columns), steps), right in zip(results, operations, expected, strict=True):
            if steps is None or not isinstance(result, asyncio.CancelledError):
                assert plain_values(result, columns) == right

    asyncio.run(check())


# -- store calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LISTS)
async def test_records_of_one_operation_are_used(stack: CacheStack, kind: str) -> None:
    """Records that one operation read are used together; with any other record all are read, in one call."""
    await getattr(stack.operation(), kind)(RUN_IDS[:4], None)
    await getattr(stack.operation(), kind)(RUN_IDS[2:0:-1], None)
    await getattr(stack.operation(), kind)(RUN_IDS[3:], None)
    await getattr(stack.operation(), kind)(RUN_IDS[2:4], None)
    requested = [run_ids for _, run_ids, _ in stack.store.requests]
    assert requested == [RUN_IDS[:4], RUN_IDS[3:], RUN_IDS[2:4]]
    assert stack.cache.stats.records.hits == 2
    assert stack.cache.stats.records.misses == 9


async def test_selected_keys_come_from_full_entry(stack: CacheStack) -> None:
    """Selected params are read from the entry of all params, or else from an entry of the selection."""
    await stack.operation().params(["run3"], None)
    assert plain_values(await stack.operation().params(["run3"], {"b", "absent"})) == [
        [{"key": "'b'", "value": "'run3-b'"}]
    ]
    assert stack.store.calls["params"] == 1
    for _ in range(2):
        await stack.operation().params(["run3", "run5"], {"b"})
    assert stack.store.calls["params"] == 2


async def test_row_without_a_column_is_read_again(stack: CacheStack) -> None:
    """A row cached without its params is read again when they are requested, and then serves both."""
    for columns in ({"name"}, {"status", "name"}, {"name", "params"}, {"params"}, {"name"}):
        await stack.operation().runs_by_id(["run2"], columns)
    assert stack.store.calls["runs_by_id"] == 2


async def test_concurrent_reads_of_different_columns_are_not_shared(stack: CacheStack) -> None:
    """Of two concurrent operations each gets the columns that it requested."""
    stack.store.pauses["runs_by_id"] = 3
    selections = [{"name"}, {"name", "params"}]
    rows = await asyncio.gather(*(stack.operation().runs_by_id(["run2"], columns) for columns in selections))
    assert ["params" in one.rows.columns for one in rows] == [False, True]


async def test_missing_id_is_cached_briefly(stack: CacheStack) -> None:
    """An id that does not exist is cached with the shortest TTL."""
    for _ in range(3):
        assert (await stack.operation().runs_by_id(["absent"], {"name"})).index == [None]
    assert stack.store.calls["runs_by_id"] == 1
    stack.clock.now += TTL.active
    await stack.operation().runs_by_id(["absent"], {"name"})
    assert stack.store.calls["runs_by_id"] == 2


async def test_searches_and_counts_are_cached_whole(stack: CacheStack) -> None:
    """The same page or count needs no second call; another page, filter or scope does."""
    for scopes in ([("0",)], [("0",)], [None], [("0",), ("1",)]):
        await stack.operation().runs(scopes, Search(), ALL)
        await stack.operation().count_runs(scopes, Search())
    await stack.operation().runs([("0",)], Search(filter="x"), ALL)
    await stack.operation().runs([("0",)], Search(), Page(1, None, ALL.columns))
    await stack.operation().runs([("0",)], Search(), Page(1, [1], ALL.columns))
    assert (stack.store.calls["runs"], stack.store.calls["count_runs"]) == (6, 3)
    for _ in range(2):
        assert await stack.operation().count_experiments(Search()) == 3
        await stack.operation().experiments(Search(), replace(ALL, columns=frozenset({"name"})))
    assert (stack.store.calls["experiments"], stack.store.calls["count_experiments"]) == (1, 1)


async def test_concurrent_equal_operations_share_calls(stack: CacheStack) -> None:
    """Twenty equal operations at once cause the store calls of one."""

    async def operate() -> None:
        view = stack.operation()
        rows = (await view.runs([None], Search(), ALL)).rows
        await view.params(rows["run_id"], None)

    await asyncio.gather(*(operate() for _ in range(20)))
    assert stack.store.calls == {"runs": 1, "params": 1}


async def test_error_is_raised_and_not_cached(stack: CacheStack) -> None:
    """An error of the store is raised, and the next call reads the store again."""
    stack.store.failing["params"] = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable, match="down"):
        await stack.operation().params(RUN_IDS, None)
    stack.store.failing.clear()
    assert len((await stack.operation().params(RUN_IDS, None)).spans) == len(RUN_IDS)


async def test_sample_is_cached_by_its_parameters(stack: CacheStack) -> None:
    """A cached sample is returned only for an equal sample, not for another sample or the full history."""
    samples = [None, Sample(2, "lttb"), Sample(3, "lttb"), Sample(2, "min_max")]
    series = [("run4", "a"), ("run5", "a")]
    for _ in range(2):
        sizes = [
            (await stack.operation().histories(series, None, None, sample)).rows.size for sample in samples
        ]
        assert sizes == [11, 4, 6, 4]
    assert stack.store.calls["histories"] == len(samples)


async def test_histories_above_max_points_are_read_from_the_store() -> None:
    """Cached histories are not combined into a result with more points than the store returns."""
    stack = make_stack(max_points=5)
    series = [(run_id, "a") for run_id in RUN_IDS[:3]]
    for single in series:
        await stack.operation().histories([single], None, None)
    await stack.operation().histories(series[:2], None, None)
    assert stack.store.calls["histories"] == 3
    assert plain_values(await stack.operation().histories(series, None, None)) == plain_values(
        await stack.store.histories(series, None, None)
    )
    assert stack.store.calls["histories"] == 5
