"""The cached store returns the results of its store with fewer calls."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gql_server.app import create_app
from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.factory import open_cache
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.ttl import TimeToLive
from gql_server.config.settings import Settings
from schema.ports.errors import StoreUnavailable
from schema.ports.table import Many, One, Row, Rows, Table, value_at
from schema.ports.tracking import Page, Pages, Sample, Search, Tracking
from tests.gql_server.cache.conftest import CACHE_LIMITS, MAX_BYTES
from tests.support.clock import Clock
from tests.support.memory_tracking import MemoryTracking, Record
from tests.support.record_strategies import experiment, metric, point, run

TTL = TimeToLive(finished=300.0, active=2.0, experiments=10.0)
RUN_IDS = [f"run{number}" for number in range(6)]
EXPERIMENT_IDS = ["0", "1", "2"]
KEYS = ["a", "b", "c"]
LISTS = ("params", "tags", "metrics")
RUN_COLUMNS = ["run_id", "name", "status", "ended_at", "experiment_id"]
ALL: Page = Page(100, None, frozenset({"run_id", "name"}))

Call: TypeAlias = Callable[[Tracking], Awaitable[Any]]


@dataclass
class World:
    """A store that counts its calls, and the same store with a cache whose clock the test sets."""

    store: MemoryTracking
    cached_store: CachedStore
    cache: Cache
    clock: Clock

    def operation(
        self, principal: str | None = None, cache_control: CacheControl = CacheControl.DEFAULT
    ) -> CachedTracking:
        """Return the ports for the next operation."""
        return self.cached_store.for_operation(principal, cache_control)

    def run(self, run_id: str) -> Record:
        """Return a run's record, which the test may change."""
        return next(
            run for experiment in self.store.stored for run in experiment["runs"] if run["run_id"] == run_id
        )


def _run(number: int) -> Record:
    run_id = RUN_IDS[number]
    ended = number % 2 == 0
    return run(
        run_id,
        EXPERIMENT_IDS[number % 2],
        name=f"run é {number}",
        status="FINISHED" if ended else "RUNNING",
        ended_at=1000 + number if ended else None,
        params=[{"key": key, "value": f"{run_id}-{key}"} for key in KEYS[:number]],
        tags=[{"key": key, "value": key} for key in KEYS[: 3 - number]],
        metrics=[_metric(run_id, key, number) for key in KEYS],
    )


def _metric(run_id: str, key: str, number: int) -> Record:
    last = {"step": 2**62, "timestamp": 0, "value": None, "non_finite": "NAN"}
    return metric(
        run_id, key, **last, points=[*(point(step, value=step / 3) for step in range(number)), last]
    )


def records() -> list[Record]:
    """Return three experiments: one with finished runs, one with active runs and an empty one."""
    return [
        experiment(
            experiment_id,
            tags=[{"key": key, "value": experiment_id} for key in KEYS[:index]],
            runs=[_run(number) for number in range(len(RUN_IDS)) if number % 2 == index],
        )
        for index, experiment_id in enumerate(EXPERIMENT_IDS)
    ]


def make_world(*, max_points: int = 1_000_000, cache_records: bool = True) -> World:
    """Return a store with `records()` and an empty cache."""
    clock = Clock()
    cache = Cache(MemoryBackend(MAX_BYTES, clock=clock), max_entry_bytes=1_000_000, clock=clock)
    store = MemoryTracking(records(), along=True)
    cached_store = CachedStore(
        store, store.artifacts, cache, ttl=TTL, max_points=max_points, cache_records=cache_records
    )
    return World(store, cached_store, cache, clock)


@pytest.fixture
def world() -> World:
    """Return a store with an empty cache."""
    return make_world()


# -- results ---------------------------------------------------------------------------------------------


def plain(result: Any, columns: Collection[str] = ()) -> Any:
    """Return a result as plain values, without the columns that were not requested."""
    if isinstance(result, Pages):
        positions = [result.position(row) for row in range(result.rows.size)]
        rows = [[_row(result.rows, row, columns) for row in range(*span)] for span in result.spans]
        return rows, list(result.has_next), positions
    if isinstance(result, One):
        return [None if row is None else _row(result.rows, row, columns) for row in result.index]
    if isinstance(result, Many):
        names = sorted(result.rows.columns)
        return [[_row(result.rows, row, names) for row in range(*span)] for span in result.spans]
    return list(result) if isinstance(result, Sequence) else result


def _row(table: Table, row: int, columns: Collection[str]) -> dict[str, Any]:
    return {name: _value(value_at(table[name], row)) for name in columns if name in table.columns}


def _value(value: Any) -> Any:
    if isinstance(value, Rows):
        return [_value(row) for row in value]
    if isinstance(value, Row):
        return {name: getattr(value, name) for name in ("key", "value")}
    return repr(value)


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
def calls(draw: st.DrawFn) -> tuple[Call, Collection[str]]:
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
    port_calls: dict[str, tuple[Call, Collection[str]]] = {
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


async def _compare(world: World, steps: list[Any]) -> None:
    for first, *rest in steps:
        if isinstance(first, str):
            status, number = rest
            change = {"status": status, "name": f"changed {number}", "ended_at": number}
            world.run(first).update(change)
            world.run(first)["params"] = [{"key": "a", "value": str(number)}]
            await world.cached_store.invalidate(run_ids=[first])
        else:
            call, columns = first
            cache_control, principal = rest
            expected = plain(await call(world.store), columns)
            assert plain(await call(world.operation(principal, cache_control)), columns) == expected


@settings(deadline=None, max_examples=150)
@given(_steps_taken)
def test_cached_results_equal_the_stores(steps: list[Any]) -> None:
    """Results are equal over any sequence of overlapping calls and of writes with invalidation."""
    asyncio.run(_compare(make_world(), steps))


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
        store = MemoryTracking(records(), along=True)
        cached_store = CachedStore(
            store, store.artifacts, cache, ttl=TimeToLive.from_limits(CACHE_LIMITS), max_points=1_000_000
        )
        await _compare(World(store, cached_store, cache, Clock()), steps)
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

    async def operate(world: World, call: Call, steps: int | None) -> Any:
        task = asyncio.ensure_future(call(world.operation()))
        for _ in range(steps or 0):
            await asyncio.sleep(0)
        if steps is not None:
            task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async def check() -> None:
        world = make_world()
        expected = [plain(await call(world.store), columns) for (call, columns), _ in operations]
        world.store.pauses.update(dict.fromkeys(_METHODS, pause))
        results = await asyncio.gather(*(operate(world, call, steps) for (call, _), steps in operations))
        for result, ((_, columns), steps), right in zip(results, operations, expected, strict=True):
            if steps is None or not isinstance(result, asyncio.CancelledError):
                assert plain(result, columns) == right

    asyncio.run(check())


# -- store calls -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LISTS)
async def test_only_missing_records_are_read(world: World, kind: str) -> None:
    """A call that overlaps earlier ones reads the remaining records from the store, in one call."""
    await getattr(world.operation(), kind)(RUN_IDS[:2], None)
    await getattr(world.operation(), kind)(RUN_IDS[:4], None)
    await getattr(world.operation(), kind)(RUN_IDS[::-1], None)
    requested = [run_ids for _, run_ids, _ in world.store.asked]
    assert requested == [["run0", "run1"], ["run2", "run3"], ["run5", "run4"]]
    assert world.cache.stats.records.hits == 6
    assert world.cache.stats.records.misses == 6


async def test_selected_keys_come_from_full_entry(world: World) -> None:
    """Selected params come from the entry of all params, or else from an entry of the selection."""
    await world.operation().params(["run3"], None)
    assert plain(await world.operation().params(["run3"], {"b", "absent"})) == [
        [{"key": "'b'", "value": "'run3-b'"}]
    ]
    assert world.store.calls["params"] == 1
    for _ in range(2):
        await world.operation().params(["run3", "run5"], {"b"})
    assert world.store.calls["params"] == 2


async def test_row_without_a_column_is_read_again(world: World) -> None:
    """A row cached without its params is read again when they are requested, and then serves both."""
    for columns in ({"name"}, {"status", "name"}, {"name", "params"}, {"params"}, {"name"}):
        await world.operation().runs_by_id(["run2"], columns)
    assert world.store.calls["runs_by_id"] == 2


async def test_concurrent_reads_of_different_columns_are_not_shared(world: World) -> None:
    """Of two concurrent operations each gets the columns that it requested."""
    world.store.pauses["runs_by_id"] = 3
    selections = [{"name"}, {"name", "params"}]
    rows = await asyncio.gather(*(world.operation().runs_by_id(["run2"], columns) for columns in selections))
    assert ["params" in one.rows.columns for one in rows] == [False, True]


async def test_missing_id_is_cached_briefly(world: World) -> None:
    """An id that does not exist is cached with the shortest TTL."""
    for _ in range(3):
        assert (await world.operation().runs_by_id(["absent"], {"name"})).index == [None]
    assert world.store.calls["runs_by_id"] == 1
    world.clock.now += TTL.active
    await world.operation().runs_by_id(["absent"], {"name"})
    assert world.store.calls["runs_by_id"] == 2


async def test_searches_and_counts_are_cached_whole(world: World) -> None:
    """The same page or count needs no second call; another page, filter or scope does."""
    for scopes in ([("0",)], [("0",)], [None], [("0",), ("1",)]):
        await world.operation().runs(scopes, Search(), ALL)
        await world.operation().count_runs(scopes, Search())
    await world.operation().runs([("0",)], Search(filter="x"), ALL)
    await world.operation().runs([("0",)], Search(), Page(1, None, ALL.columns))
    await world.operation().runs([("0",)], Search(), Page(1, [1], ALL.columns))
    assert (world.store.calls["runs"], world.store.calls["count_runs"]) == (6, 3)
    for _ in range(2):
        assert await world.operation().count_experiments(Search()) == 3
        await world.operation().experiments(Search(), replace(ALL, columns=frozenset({"name"})))
    assert (world.store.calls["experiments"], world.store.calls["count_experiments"]) == (1, 1)


async def test_concurrent_equal_operations_share_calls(world: World) -> None:
    """Twenty equal operations at once cause the store calls of one."""

    async def operate() -> None:
        view = world.operation()
        rows = (await view.runs([None], Search(), ALL)).rows
        await view.params(rows["run_id"], None)

    await asyncio.gather(*(operate() for _ in range(20)))
    assert world.store.calls == {"runs": 1, "params": 1}


async def test_error_is_raised_and_not_cached(world: World) -> None:
    """An error of the store is raised, and the next call reads the store again."""
    world.store.failing["params"] = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable, match="down"):
        await world.operation().params(RUN_IDS, None)
    world.store.failing.clear()
    assert len((await world.operation().params(RUN_IDS, None)).spans) == len(RUN_IDS)


async def test_sample_is_cached_by_its_parameters(world: World) -> None:
    """A cached sample serves an equal sample only, neither another one nor the full history."""
    samples = [None, Sample(2, "lttb"), Sample(3, "lttb"), Sample(2, "min_max")]
    series = [("run4", "a"), ("run5", "a")]
    for _ in range(2):
        sizes = [
            (await world.operation().histories(series, None, None, sample)).rows.size for sample in samples
        ]
        assert sizes == [11, 4, 6, 4]
    assert world.store.calls["histories"] == len(samples)


async def test_histories_above_max_points_are_read_from_the_store() -> None:
    """Cached histories are not combined into a result with more points than the store returns."""
    world = make_world(max_points=5)
    series = [(run_id, "a") for run_id in RUN_IDS[:3]]
    for single in series:
        await world.operation().histories([single], None, None)
    await world.operation().histories(series[:2], None, None)
    assert world.store.calls["histories"] == 3
    assert plain(await world.operation().histories(series, None, None)) == plain(
        await world.store.histories(series, None, None)
    )
    assert world.store.calls["histories"] == 5


# -- TTLs ------------------------------------------------------------------------------------------------


async def _param_of(world: World, run_id: str) -> str:
    """Read a run and its param in one operation; return the param."""
    view = world.operation()
    await view.runs_by_id([run_id], {"name"})
    return str((await view.params([run_id], {"a"})).rows["value"][0])


@pytest.mark.parametrize(("run_id", "seconds"), [("run2", TTL.finished), ("run3", TTL.active)])
async def test_ttl_depends_on_whether_the_run_has_finished(world: World, run_id: str, seconds: float) -> None:
    """What was logged to a finished run is cached for minutes, to an active run for seconds."""
    before = await _param_of(world, run_id)
    world.run(run_id)["params"] = [{"key": "a", "value": "late"}]
    world.clock.now += seconds - 0.1
    assert await _param_of(world, run_id) == before
    world.clock.now += 0.1
    assert await _param_of(world, run_id) == "late"


async def test_unread_run_counts_as_active(world: World) -> None:
    """Params of a run whose row was not read have the TTL of active runs, though the run has finished."""
    view = world.operation()
    await view.params(["run2"], None)
    assert view.min_ttl == TTL.active


async def test_resumed_run_does_not_use_earlier_entries(world: World) -> None:
    """After a search returns a finished run as active, entries from before are not used."""
    await _param_of(world, "run2")
    for status, ended_at, value in (("RUNNING", None, "resumed"), ("FINISHED", 2000, "again")):
        world.run("run2").update(status=status, ended_at=ended_at, params=[{"key": "a", "value": value}])
        world.clock.now += TTL.active
        await world.operation().runs([None], Search(), ALL)
        assert await _param_of(world, "run2") == value
        (run,) = plain(await world.operation().runs_by_id(["run2"], {"status"}), {"status"})
        assert run == {"status": repr(status)}


async def test_experiment_ttl(world: World) -> None:
    """A renamed experiment is returned with its new name after ten seconds."""
    await world.operation().experiments_by_id(["0"], {"name"})
    await world.operation().experiment_tags(["0"], None)
    world.store.stored[0]["name"] = "renamed"
    world.clock.now += TTL.experiments
    (experiment,) = plain(await world.operation().experiments_by_id(["0"], {"name"}), {"name"})
    assert experiment == {"name": "'renamed'"}


@pytest.mark.parametrize("cache_records", [True, False])
async def test_min_ttl_of_operation(*, cache_records: bool) -> None:
    """`min_ttl` is the shortest remaining TTL of all records read, whether or not they are cached."""
    world = make_world(cache_records=cache_records)
    view = world.operation()
    assert view.min_ttl == TTL.finished
    await view.runs_by_id(["run2"], {"name"})
    await view.metrics(["run2"], None)
    await view.histories([("run2", "a")], None, None)
    assert view.min_ttl == TTL.finished
    await view.experiments_by_id(["0"], {"name"})
    assert view.min_ttl == TTL.experiments
    await view.experiments_by_name(["absent"], {"name"})
    assert view.min_ttl == TTL.active
    later = world.operation()
    world.clock.now += 100.0
    await later.runs_by_id(["run2"], {"name"})
    assert later.min_ttl == (TTL.finished - 100.0 if cache_records else TTL.finished)
    await later.runs([None], Search(), ALL)
    assert later.min_ttl == TTL.active


async def test_disabled_record_cache_stores_nothing() -> None:
    """Without the record cache every call goes to the store."""
    world = make_world(cache_records=False)
    for _ in range(2):
        await world.operation().runs([None], Search(), ALL)
        await world.operation().runs_by_id(["run2"], {"name"})
        await world.operation().params(["run2"], None)
    assert set(world.store.calls.values()) == {2}
    assert len(world.cache.backend) == 0


# -- callers, cache control and invalidation -------------------------------------------------------------


async def test_callers_share_no_entries(world: World) -> None:
    """A record read for one caller is not used for another, or for no caller."""
    for principal in ("one", "other", None, "one"):
        view = world.operation(principal)
        await view.runs([None], Search(), ALL)
        await view.runs_by_id(["run2"], {"name"})
        await view.params(["run2"], None)
        await view.experiment_tags(["0"], None)
    assert set(world.store.calls.values()) == {3}


async def test_no_cache_reads_the_store_and_updates_the_cache(world: World) -> None:
    """With no-cache the store is read, and later operations get the new value from the cache."""
    await _param_of(world, "run2")
    world.run("run2")["params"] = [{"key": "a", "value": "new"}]
    assert (await world.operation(cache_control=CacheControl.NO_CACHE).params(["run2"], {"a"})).rows[
        "value"
    ] == ["new"]
    assert (await world.operation().params(["run2"], {"a"})).rows["value"] == ["new"]


async def test_no_store_leaves_the_cache_unchanged(world: World) -> None:
    """With no-store nothing is stored in the cache."""
    for _ in range(2):
        await world.operation(cache_control=CacheControl.NO_STORE).params(["run2"], None)
    await world.operation().params(["run2"], None)
    assert world.store.calls["params"] == 3


async def test_invalidated_run_is_read_again(world: World) -> None:
    """After `invalidate` the run and all searches are read again, and other runs are not."""
    view = world.operation()
    await view.runs([None], Search(), ALL)
    await view.runs_by_id(["run0", "run2"], {"name"})
    await view.params(["run0", "run2"], None)
    world.store.calls.clear()
    world.run("run2")["name"] = "changed"
    await world.cached_store.invalidate(run_ids=["run2"], experiment_ids=["0"])
    pages = await world.operation().runs([None], Search(), ALL)
    assert "changed" in pages.rows["name"]
    (run,) = plain(await world.operation().runs_by_id(["run2"], {"name"}), {"name"})
    assert run == {"name": "'changed'"}
    await world.operation().runs_by_id(["run0"], {"name"})
    assert world.store.calls == {"runs": 1, "runs_by_id": 1}


async def test_changing_a_result_does_not_change_the_cache(world: World) -> None:
    """A caller that changes a result does not change later results."""
    for _ in range(2):
        pages = await world.operation().runs([None], Search(), ALL)
        params = await world.operation().params(["run3"], None)
        assert pages.rows["run_id"][0] == "run0"
        assert len(params.rows["key"]) == 3
        pages.rows["run_id"].clear()
        params.rows["key"].clear()


async def test_failing_cache_falls_back_to_the_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a backend that always raises, all results come from the store."""

    async def fail(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(world.cache.backend, "multi_get", fail)
    monkeypatch.setattr(world.cache.backend, "multi_set", fail)
    for _ in range(2):
        assert await _param_of(world, "run2") == "run2-a"
    await world.cached_store.invalidate(run_ids=["run2"])
    assert world.store.calls["params"] == 2


async def test_graphql_response_is_equal_over_the_cached_store(world: World) -> None:
    """A nested query has the same response from the store, with an empty cache and with a full one."""
    query = (
        "{ runs { nodes { runId name params { key value } metrics { key value history { step value } } } } }"
    )

    async def respond(tracking: Tracking) -> bytes:
        app = create_app(Settings(tracking_uri="unused:"), tracking)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.post("/graphql", json={"query": query})).content

    expected = await respond(world.store)
    assert b'"errors"' not in expected
    world.store.calls.clear()
    assert await respond(world.operation()) == expected
    calls = dict(world.store.calls)
    assert await respond(world.operation()) == expected
    assert dict(world.store.calls) == calls
