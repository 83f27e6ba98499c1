"""Tests of the cached store: the same answers as the store behind it, with fewer questions to it."""

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
from tests.gql_server.cache.conftest import MOST_BYTES
from tests.support.clock import Clock
from tests.support.memory_tracking import MemoryTracking, Record
from tests.support.record_strategies import experiment, metric, point, run

LIFETIMES = TimeToLive(ended=300.0, running=2.0, experiments=10.0)
RUN_IDS = [f"run{number}" for number in range(6)]
EXPERIMENT_IDS = ["0", "1", "2"]
KEYS = ["a", "b", "c"]
LISTS = ("params", "tags", "metrics")
RUN_COLUMNS = ["run_id", "name", "status", "ended_at", "experiment_id"]
ALL: Page = Page(100, None, frozenset({"run_id", "name"}))

Ask: TypeAlias = Callable[[Tracking], Awaitable[Any]]


@dataclass
class World:
    """A store with a counted way to it, a cache with a clock, and both together."""

    inner: MemoryTracking
    store: CachedStore
    cache: Cache
    clock: Clock

    def view(self, principal: str | None = None, use: CacheControl = CacheControl.ANY) -> CachedTracking:
        """Return the store as the next operation sees it."""
        return self.store.for_operation(principal, use)

    def run(self, run_id: str) -> Record:
        """Return a run's record, to be changed."""
        return next(
            run for experiment in self.inner.stored for run in experiment["runs"] if run["run_id"] == run_id
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
    """Return three experiments: one with the runs that ended, one with those that run, and an empty one."""
    return [
        experiment(
            experiment_id,
            tags=[{"key": key, "value": experiment_id} for key in KEYS[:place]],
            runs=[_run(number) for number in range(len(RUN_IDS)) if number % 2 == place],
        )
        for place, experiment_id in enumerate(EXPERIMENT_IDS)
    ]


def make_world(**options: Any) -> World:
    """Return a world of its own over `records()`."""
    clock = Clock()
    cache = Cache(MemoryBackend(MOST_BYTES, clock=clock), most_entry_bytes=1_000_000, clock=clock)
    inner = MemoryTracking(records(), along=True)
    return World(
        inner, CachedStore(inner, inner.artifacts, cache, lifetimes=LIFETIMES, **options), cache, clock
    )


@pytest.fixture
def world() -> World:
    """Give a world whose cache is empty."""
    return make_world()


# -- what a caller sees ---------------------------------------------------------------------------------


def seen(answer: Any, columns: Collection[str] = ()) -> Any:
    """Return an answer as plain values, whatever columns come with it unasked."""
    if isinstance(answer, Pages):
        positions = [answer.position(row) for row in range(answer.rows.size)]
        rows = [[_row(answer.rows, place, columns) for place in range(*span)] for span in answer.spans]
        return rows, list(answer.has_next), positions
    if isinstance(answer, One):
        return [None if place is None else _row(answer.rows, place, columns) for place in answer.index]
    if isinstance(answer, Many):
        names = sorted(answer.rows.columns)
        return [[_row(answer.rows, place, names) for place in range(*span)] for span in answer.spans]
    return list(answer) if isinstance(answer, Sequence) else answer


def _row(table: Table, place: int, columns: Collection[str]) -> dict[str, Any]:
    return {name: _value(value_at(table[name], place)) for name in columns if name in table.columns}


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
def asks(draw: st.DrawFn) -> tuple[Ask, Collection[str]]:
    """Make up a question to the port, and the columns that it is about."""
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
    own = frozenset({"experiment_id", "name"})
    questions: dict[str, tuple[Ask, Collection[str]]] = {
        "runs": (lambda port: port.runs(scopes, Search(), page), page.columns),
        "runs_by_id": (lambda port: port.runs_by_id([*runs, *ids], columns), columns),
        "logged": (lambda port: getattr(port, logged)(runs, keys), ()),
        "histories": (lambda port: port.histories(series, first, last, sample), ()),
        "experiments": (lambda port: port.experiments(Search(), replace(page, columns=own)), own),
        "by_name": (lambda port: port.experiments_by_name([f"experiment {own}" for own in ids], own), own),
        "tags": (lambda port: port.experiment_tags([own for own in ids if own != "absent"], keys), ()),
        "count": (lambda port: port.count_runs(scopes, Search()), ()),
    }
    return questions[kind]


_changes = st.tuples(st.sampled_from(RUN_IDS), st.sampled_from(["FINISHED", "RUNNING"]), st.integers(1, 3))
_steps_taken = st.lists(
    st.tuples(asks(), st.sampled_from(list(CacheControl)), st.sampled_from([None, "one"])) | _changes,
    max_size=25,
)


async def _compare(world: World, steps: list[Any]) -> None:
    for first, *rest in steps:
        if isinstance(first, str):
            status, number = rest
            change = {"status": status, "name": f"changed {number}", "ended_at": number}
            world.run(first).update(change)
            world.run(first)["params"] = [{"key": "a", "value": str(number)}]
            await world.store.forget(run_ids=[first])
        else:
            ask, columns = first
            use, principal = rest
            expected = seen(await ask(world.inner), columns)
            assert seen(await ask(world.view(principal, use)), columns) == expected


@settings(deadline=None, max_examples=150)
@given(_steps_taken)
def test_the_cached_store_answers_as_the_store_does(steps: list[Any]) -> None:
    """Over any sequence of questions with sets that overlap, and of changes made known, nothing differs."""
    asyncio.run(_compare(make_world(), steps))


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=_steps_taken)
def test_the_same_holds_with_redis(redis_url: str, steps: list[Any]) -> None:
    """Entries in Redis give the very same answers."""

    async def check() -> None:
        cache = open_cache(redis_url, secrets.token_hex(8), most_bytes=0, timeout=5.0)
        inner = MemoryTracking(records(), along=True)
        await _compare(World(inner, CachedStore(inner, inner.artifacts, cache), cache, Clock()), steps)
        assert cache.circuit.failures == 0
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
@given(st.lists(st.tuples(asks(), st.none() | st.integers(0, 8)), max_size=8), st.integers(0, 3))
def test_operations_at_once_answer_as_the_store_does(operations: list[Any], pause: int) -> None:
    """Operations at once, some of whose clients leave after a while, disturb each other in nothing."""

    async def operate(world: World, ask: Ask, patience: int | None) -> Any:
        task = asyncio.ensure_future(ask(world.view()))
        for _ in range(patience or 0):
            await asyncio.sleep(0)
        if patience is not None:
            task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async def check() -> None:
        world = make_world()
        expected = [seen(await ask(world.inner), columns) for (ask, columns), _ in operations]
        world.inner.pauses.update(dict.fromkeys(_METHODS, pause))
        answers = await asyncio.gather(*(operate(world, ask, patience) for (ask, _), patience in operations))
        for answer, ((_, columns), patience), right in zip(answers, operations, expected, strict=True):
            if patience is None or not isinstance(answer, asyncio.CancelledError):
                assert seen(answer, columns) == right

    asyncio.run(check())


# -- what the store is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LISTS)
async def test_only_what_is_missing_is_read(world: World, kind: str) -> None:
    """Of a set that overlaps an earlier one only the rest is asked of the store, in one call."""
    await getattr(world.view(), kind)(RUN_IDS[:2], None)
    await getattr(world.view(), kind)(RUN_IDS[:4], None)
    await getattr(world.view(), kind)(RUN_IDS[::-1], None)
    asked = [run_ids for _, run_ids, _ in world.inner.asked]
    assert asked == [["run0", "run1"], ["run2", "run3"], ["run5", "run4"]]
    assert world.cache.counts.records.hits == 6
    assert world.cache.counts.records.misses == 6


async def test_some_keys_are_taken_from_all_of_them(world: World) -> None:
    """Where all params of a run are kept, some of them need no call; and those read alone serve again."""
    await world.view().params(["run3"], None)
    assert seen(await world.view().params(["run3"], {"b", "absent"})) == [
        [{"key": "'b'", "value": "'run3-b'"}]
    ]
    assert world.inner.calls["params"] == 1
    for _ in range(2):
        await world.view().params(["run3", "run5"], {"b"})
    assert world.inner.calls["params"] == 2


async def test_fewer_columns_do_not_serve_more(world: World) -> None:
    """A row kept without its params is read again when they are asked for, and then serves both."""
    for columns in ({"name"}, {"status", "name"}, {"name", "params"}, {"params"}, {"name"}):
        await world.view().runs_by_id(["run2"], columns)
    assert world.inner.calls["runs_by_id"] == 2


async def test_more_columns_do_not_wait_for_fewer(world: World) -> None:
    """Of two operations at once the one that asks for more does not get what the other asked for."""
    world.inner.pauses["runs_by_id"] = 3
    asked = [{"name"}, {"name", "params"}]
    found = await asyncio.gather(*(world.view().runs_by_id(["run2"], columns) for columns in asked))
    assert ["params" in one.rows.columns for one in found] == [False, True]


async def test_what_is_not_there_is_kept_shortly(world: World) -> None:
    """An id that nothing has costs one call, until it may have come into being."""
    for _ in range(3):
        assert (await world.view().runs_by_id(["absent"], {"name"})).index == [None]
    assert world.inner.calls["runs_by_id"] == 1
    world.clock.now += LIFETIMES.running
    await world.view().runs_by_id(["absent"], {"name"})
    assert world.inner.calls["runs_by_id"] == 2


async def test_searches_and_counts_are_kept_whole(world: World) -> None:
    """The same page or count again is no call; another page, order or scope is."""
    for scopes in ([("0",)], [("0",)], [None], [("0",), ("1",)]):
        await world.view().runs(scopes, Search(), ALL)
        await world.view().count_runs(scopes, Search())
    await world.view().runs([("0",)], Search(filter="x"), ALL)
    await world.view().runs([("0",)], Search(), Page(1, None, ALL.columns))
    await world.view().runs([("0",)], Search(), Page(1, [1], ALL.columns))
    assert (world.inner.calls["runs"], world.inner.calls["count_runs"]) == (6, 3)
    for _ in range(2):
        assert await world.view().count_experiments(Search()) == 3
        await world.view().experiments(Search(), replace(ALL, columns=frozenset({"name"})))
    assert (world.inner.calls["experiments"], world.inner.calls["count_experiments"]) == (1, 1)


async def test_operations_at_once_ask_once(world: World) -> None:
    """Twenty equal operations at once cost the calls of one."""

    async def operation() -> None:
        view = world.view()
        rows = (await view.runs([None], Search(), ALL)).rows
        await view.params(rows["run_id"], None)

    await asyncio.gather(*(operation() for _ in range(20)))
    assert world.inner.calls == {"runs": 1, "params": 1}


async def test_a_fault_is_passed_on_and_not_kept(world: World) -> None:
    """What the store refuses it refuses through the cache, and once it answers again it is asked again."""
    world.inner.failing["params"] = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable, match="down"):
        await world.view().params(RUN_IDS, None)
    world.inner.failing.clear()
    assert len((await world.view().params(RUN_IDS, None)).spans) == len(RUN_IDS)


async def test_a_sample_is_kept_as_it_is(world: World) -> None:
    """What was sampled serves who asks for the same sample, and neither another nor all points."""
    ways = [None, Sample(2, "lttb"), Sample(3, "lttb"), Sample(2, "min_max")]
    series = [("run4", "a"), ("run5", "a")]
    for _ in range(2):
        sizes = [(await world.view().histories(series, None, None, way)).rows.size for way in ways]
        assert sizes == [11, 4, 6, 4]
    assert world.inner.calls["histories"] == len(ways)


async def test_more_points_than_an_answer_may_have_are_left_to_the_store() -> None:
    """Histories kept one by one never add up to more than the store itself would answer."""
    world = make_world(most_points=5)
    series = [(run_id, "a") for run_id in RUN_IDS[:3]]
    for single in series:
        await world.view().histories([single], None, None)
    await world.view().histories(series[:2], None, None)
    assert world.inner.calls["histories"] == 3
    assert seen(await world.view().histories(series, None, None)) == seen(
        await world.inner.histories(series, None, None)
    )
    assert world.inner.calls["histories"] == 5


# -- how long it holds ----------------------------------------------------------------------------------


async def _of_run(world: World, run_id: str) -> str:
    """Ask for a run and its param, as an operation does; return the param."""
    view = world.view()
    await view.runs_by_id([run_id], {"name"})
    return str((await view.params([run_id], {"a"})).rows["value"][0])


@pytest.mark.parametrize(("run_id", "seconds"), [("run2", LIFETIMES.ended), ("run3", LIFETIMES.running)])
async def test_a_run_is_kept_by_whether_it_ended(world: World, run_id: str, seconds: float) -> None:
    """What was logged to an ended run is read again after minutes, and to one that runs after seconds."""
    before = await _of_run(world, run_id)
    world.run(run_id)["params"] = [{"key": "a", "value": "late"}]
    world.clock.now += seconds - 0.1
    assert await _of_run(world, run_id) == before
    world.clock.now += 0.1
    assert await _of_run(world, run_id) == "late"


async def test_a_run_not_seen_counts_as_running(world: World) -> None:
    """Params asked for without their run are kept for seconds, though the run has ended."""
    view = world.view()
    await view.params(["run2"], None)
    assert view.shortest == LIFETIMES.running


async def test_a_run_that_is_resumed_is_running_again(world: World) -> None:
    """Once a search sees that an ended run goes on, nothing kept from before is used any more."""
    await _of_run(world, "run2")
    for status, ended_at, value in (("RUNNING", None, "resumed"), ("FINISHED", 2000, "again")):
        world.run("run2").update(status=status, ended_at=ended_at, params=[{"key": "a", "value": value}])
        world.clock.now += LIFETIMES.running
        await world.view().runs([None], Search(), ALL)
        assert await _of_run(world, "run2") == value
        (run,) = seen(await world.view().runs_by_id(["run2"], {"status"}), {"status"})
        assert run == {"status": repr(status)}


async def test_experiments_are_kept_between(world: World) -> None:
    """A renamed experiment is seen under its new name after ten seconds at most."""
    await world.view().experiments_by_id(["0"], {"name"})
    await world.view().experiment_tags(["0"], None)
    world.inner.stored[0]["name"] = "renamed"
    world.clock.now += LIFETIMES.experiments
    (experiment,) = seen(await world.view().experiments_by_id(["0"], {"name"}), {"name"})
    assert experiment == {"name": "'renamed'"}


@pytest.mark.parametrize("kept", [True, False])
async def test_an_operation_knows_how_long_its_answer_holds(*, kept: bool) -> None:
    """The shortest of all that was read counts, from when it was read, whether it is kept or not."""
    world = make_world(records=kept)
    view = world.view()
    assert view.shortest == LIFETIMES.ended
    await view.runs_by_id(["run2"], {"name"})
    await view.metrics(["run2"], None)
    await view.histories([("run2", "a")], None, None)
    assert view.shortest == LIFETIMES.ended
    await view.experiments_by_id(["0"], {"name"})
    assert view.shortest == LIFETIMES.experiments
    await view.experiments_by_name(["absent"], {"name"})
    assert view.shortest == LIFETIMES.running
    later = world.view()
    world.clock.now += 100.0
    await later.runs_by_id(["run2"], {"name"})
    assert later.shortest == (LIFETIMES.ended - 100.0 if kept else LIFETIMES.ended)
    await later.runs([None], Search(), ALL)
    assert later.shortest == LIFETIMES.running


async def test_without_records_nothing_is_kept() -> None:
    """The layer of records can be left out, and then every question goes to the store as it is."""
    world = make_world(records=False)
    for _ in range(2):
        await world.view().runs([None], Search(), ALL)
        await world.view().runs_by_id(["run2"], {"name"})
        await world.view().params(["run2"], None)
    assert set(world.inner.calls.values()) == {2}
    assert len(world.cache.backend) == 0


# -- who sees what ---------------------------------------------------------------------------------------


async def test_callers_see_only_their_own(world: World) -> None:
    """What one caller read is not there for another, nor for nobody in particular."""
    for principal in ("one", "other", None, "one"):
        view = world.view(principal)
        await view.runs([None], Search(), ALL)
        await view.runs_by_id(["run2"], {"name"})
        await view.params(["run2"], None)
        await view.experiment_tags(["0"], None)
    assert set(world.inner.calls.values()) == {3}


async def test_no_cache_reads_the_store_and_keeps(world: World) -> None:
    """Who wants a new answer gets it, and others get it from then on."""
    await _of_run(world, "run2")
    world.run("run2")["params"] = [{"key": "a", "value": "new"}]
    assert (await world.view(use=CacheControl.NEW).params(["run2"], {"a"})).rows["value"] == ["new"]
    assert (await world.view().params(["run2"], {"a"})).rows["value"] == ["new"]


async def test_no_store_keeps_nothing(world: World) -> None:
    """Who wants nothing kept leaves the cache as it was."""
    for _ in range(2):
        await world.view(use=CacheControl.UNKEPT).params(["run2"], None)
    await world.view().params(["run2"], None)
    assert world.inner.calls["params"] == 3


async def test_a_change_made_known_is_seen_at_once(world: World) -> None:
    """After `forget` the run and all searches are read anew, and other runs are not."""
    view = world.view()
    await view.runs([None], Search(), ALL)
    await view.runs_by_id(["run0", "run2"], {"name"})
    await view.params(["run0", "run2"], None)
    world.inner.calls.clear()
    world.run("run2")["name"] = "changed"
    await world.store.forget(run_ids=["run2"], experiment_ids=["0"])
    pages = await world.view().runs([None], Search(), ALL)
    assert "changed" in pages.rows["name"]
    (run,) = seen(await world.view().runs_by_id(["run2"], {"name"}), {"name"})
    assert run == {"name": "'changed'"}
    await world.view().runs_by_id(["run0"], {"name"})
    assert world.inner.calls == {"runs": 1, "runs_by_id": 1}


async def test_what_was_given_out_is_not_what_is_kept(world: World) -> None:
    """Who changes an answer changes nobody else's."""
    for _ in range(2):
        pages = await world.view().runs([None], Search(), ALL)
        params = await world.view().params(["run3"], None)
        assert pages.rows["run_id"][0] == "run0"
        assert len(params.rows["key"]) == 3
        pages.rows["run_id"].clear()
        params.rows["key"].clear()


async def test_a_cache_that_fails_costs_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a backend that raises whatever it is asked, all answers come from the store."""

    async def fail(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(world.cache.backend, "multi_get", fail)
    monkeypatch.setattr(world.cache.backend, "multi_set", fail)
    for _ in range(2):
        assert await _of_run(world, "run2") == "run2-a"
    await world.store.forget(run_ids=["run2"])
    assert world.inner.calls["params"] == 2


async def test_the_graph_over_a_cached_store_answers_alike(world: World) -> None:
    """A nested query has the same answer from the store, through an empty cache and through a full one."""
    query = (
        "{ runs { nodes { runId name params { key value } metrics { key value history { step value } } } } }"
    )

    async def answer(tracking: Tracking) -> bytes:
        app = create_app(Settings(tracking_uri="unused:"), tracking)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.post("/graphql", json={"query": query})).content

    expected = await answer(world.inner)
    assert b'"errors"' not in expected
    world.inner.calls.clear()
    assert await answer(world.view()) == expected
    calls = dict(world.inner.calls)
    assert await answer(world.view()) == expected
    assert dict(world.inner.calls) == calls
