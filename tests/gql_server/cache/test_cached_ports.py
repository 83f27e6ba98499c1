"""The cached ports beside `Tracking`: the store's own answers, with fewer questions to it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gql_server.cache.cache import Cache
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.ttl import TimeToLive
from schema.ports.artifacts import Folder
from schema.ports.registry import VersionKey
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Page, Pages
from tests.gql_server.cache.conftest import MOST_BYTES
from tests.support.clock import Clock
from tests.support.memory_tracking import MemoryTracking
from tests.support.record_strategies import experiment, model, registered, run, version

LIFETIMES = TimeToLive(ended=300.0, running=2.0, experiments=10.0)
NAME = frozenset({"name"})
ALONG = frozenset({"name", "params", "tags", "metrics"})
PAGE = Page(5, None, NAME)
KEYS = [VersionKey("net", "2"), VersionKey("net", "9"), VersionKey("a:b", "1")]


def _stored() -> MemoryTracking:
    runs = [run("ended"), run("running", status="RUNNING", ended_at=None)]
    models = [model("m-1", "ended"), model("m-2", "running")]
    versions = [version("net", "2", source_run_id="ended"), version("net", "1", source_run_id="running")]
    names = [registered("net", versions=versions), registered("a:b", versions=[version("a:b", "1")])]
    return MemoryTracking([experiment(runs=runs, models=models)], along=True, registered=names)


class World:
    """A store, a cache with a clock, and both together."""

    def __init__(self) -> None:
        self.clock = Clock()
        cache = Cache(
            MemoryBackend(MOST_BYTES, clock=self.clock), most_entry_bytes=1_000_000, clock=self.clock
        )
        self.inner = _stored()
        self.store = CachedStore(self.inner, self.inner.artifacts, cache, lifetimes=LIFETIMES)

    def view(self) -> CachedTracking:
        """Return the store as the next operation sees it."""
        return self.store.for_operation()


Ask = Callable[[Any], Awaitable[Any]]
RUNS = ["running", "ended"]
MODELS = ["m-2", "m-1"]
NAMES = ["net", "a:b"]
QUESTIONS: dict[str, tuple[Ask, float]] = {
    "datasets": (lambda port: port.models.datasets(["ended"], NAME), 300.0),
    "datasets of a run that goes on": (lambda port: port.models.datasets(RUNS, NAME), 2.0),
    "models of runs": (lambda port: port.models.of_runs(RUNS, ALONG), 2.0),
    "models of experiments": (lambda port: port.models.of_experiments(["0"], PAGE), 2.0),
    "count of models": (lambda port: port.models.count_of_experiments(["0"]), 2.0),
    "models by id": (lambda port: port.models.by_id(MODELS, ALONG), 10.0),
    "a model that is not there": (lambda port: port.models.by_id(["m-9"], NAME), 2.0),
    "params": (lambda port: port.models.params(MODELS), 10.0),
    "tags": (lambda port: port.models.tags(MODELS), 10.0),
    "metrics": (lambda port: port.models.metrics(MODELS), 10.0),
    "registered": (lambda port: port.registry.models("x", PAGE), 2.0),
    "count of registered": (lambda port: port.registry.count_models(None), 2.0),
    "registered by name": (lambda port: port.registry.models_by_name(NAMES, NAME), 10.0),
    "tags of registered": (lambda port: port.registry.model_tags(NAMES), 10.0),
    "aliases": (lambda port: port.registry.aliases(NAMES), 2.0),
    "versions": (lambda port: port.registry.versions(NAMES, PAGE), 2.0),
    "count of versions": (lambda port: port.registry.count_versions(NAMES), 2.0),
    "versions by key": (lambda port: port.registry.versions_by_key([KEYS[2], KEYS[0]], NAME), 10.0),
    "a version that is not there": (lambda port: port.registry.versions_by_key(KEYS, NAME), 2.0),
    "versions of runs": (lambda port: port.registry.versions_of_runs(RUNS, NAME), 2.0),
    "tags of versions": (lambda port: port.registry.version_tags([KEYS[0], KEYS[2]]), 10.0),
    "artifacts": (lambda port: port.artifacts.listings([Folder("run", "ended", "plots")]), 300.0),
    "artifacts of a run that goes on": (
        lambda port: port.artifacts.listings([Folder("run", "running", "")]),
        2.0,
    ),
    "artifacts of a model": (lambda port: port.artifacts.listings([Folder("model", "m-1", "")]), 10.0),
}


@pytest.mark.parametrize("kind", QUESTIONS)
async def test_kept_for_its_time(kind: str) -> None:
    """Each answer is the store's own, is kept for as long as its kind holds, and then is asked for again."""
    ask, seconds = QUESTIONS[kind]
    world = World()
    # What a run is, is known from looking at it.
    await world.view().runs_by_id(RUNS, frozenset({"status"}))
    expected = _plain(await ask(world.inner))
    world.inner.calls.clear()
    view = world.view()
    assert _plain(await ask(view)) == expected
    assert view.shortest == seconds
    world.clock.now += seconds - 0.5
    assert _plain(await ask(world.view())) == expected
    assert world.inner.calls.total() == 1
    world.clock.now += 1.0
    assert _plain(await ask(world.view())) == expected
    assert world.inner.calls.total() == 2


async def test_folders_are_kept_one_by_one() -> None:
    """Folders that were listed serve whoever asks for them with others, and are told apart by owner."""
    world = World()
    some = [Folder("run", "ended", ""), Folder("model", "m-1", "")]
    await world.view().artifacts.listings(some)
    world.inner.asked.clear()
    found = await world.view().artifacts.listings([*some, Folder("model", "m-2", "")])
    assert [call[1] for call in world.inner.asked] == [[Folder("model", "m-2", "")]]
    assert list(dict.fromkeys(zip(found.rows["owner_kind"], found.rows["owner"], strict=True))) == [
        ("run", "ended"),
        ("model", "m-1"),
        ("model", "m-2"),
    ]


def _plain(answer: Any) -> Any:
    match answer:
        case Pages():
            places = [answer.position(row) for row in range(answer.rows.size)]
            return _table(answer.rows, NAME), list(answer.spans), list(answer.has_next), places
        case Many():
            return _table(answer.rows, answer.rows.columns), [tuple(span) for span in answer.spans]
        case One():
            return [None if place is None else answer.rows["name"][place] for place in answer.index]
        case list():
            return answer
        case _:
            return answer


def _table(table: Table, names: Any) -> dict[str, Any]:
    columns = {name: table[name] for name in names}
    return {
        name: _plain(column) if isinstance(column, Many) else list(column) for name, column in columns.items()
    }
