"""The cached ports for models, registry and artifacts return the store's results with fewer calls."""

from collections.abc import Iterable
from typing import Any

import pytest

from schema.ports.artifacts import Folder
from schema.ports.registry import VersionKey
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Page, Pages
from tests.support.app.cache_stack import TTL, PortCall, make_stack
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiment, model, registered, run, version

NAME = frozenset({"name"})
WITH_LISTS = frozenset({"name", "params", "tags", "metrics"})
PAGE = Page(5, None, NAME)
KEYS = [VersionKey("net", "2"), VersionKey("net", "9"), VersionKey("a:b", "1")]


def _store() -> MemoryTracking:
    runs = [run("ended"), run("running", status="RUNNING", ended_at=None)]
    models = [model("m-1", "ended"), model("m-2", "running")]
    versions = [version("net", "2", source_run_id="ended"), version("net", "1", source_run_id="running")]
    names = [registered("net", versions=versions), registered("a:b", versions=[version("a:b", "1")])]
    return MemoryTracking([experiment(runs=runs, models=models)], include_related=True, registered=names)


RUNS = ["running", "ended"]
MODELS = ["m-2", "m-1"]
NAMES = ["net", "a:b"]
CALLS: dict[str, PortCall] = {
    "datasets": lambda port: port.models.datasets(RUNS, NAME),
    "models of runs": lambda port: port.models.of_runs(RUNS, WITH_LISTS),
    "models of experiments": lambda port: port.models.of_experiments(["0"], PAGE),
    "count of models": lambda port: port.models.count_of_experiments(["0"]),
    "models by id": lambda port: port.models.by_id(MODELS, WITH_LISTS),
    "a missing model": lambda port: port.models.by_id(["m-9"], NAME),
    "params": lambda port: port.models.params(MODELS),
    "tags": lambda port: port.models.tags(MODELS),
    "metrics": lambda port: port.models.metrics(MODELS),
    "registered": lambda port: port.registry.models("x", PAGE),
    "count of registered": lambda port: port.registry.count_models(None),
    "registered by name": lambda port: port.registry.models_by_name(NAMES, NAME),
    "tags of registered": lambda port: port.registry.model_tags(NAMES),
    "aliases": lambda port: port.registry.aliases(NAMES),
    "versions": lambda port: port.registry.versions(NAMES, PAGE),
    "count of versions": lambda port: port.registry.count_versions(NAMES),
    "versions by key": lambda port: port.registry.versions_by_key([KEYS[2], KEYS[0]], NAME),
    "a missing version": lambda port: port.registry.versions_by_key(KEYS, NAME),
    "versions of runs": lambda port: port.registry.versions_of_runs(RUNS, NAME),
    "tags of versions": lambda port: port.registry.version_tags([KEYS[0], KEYS[2]]),
    "artifacts": lambda port: port.artifacts.listings([Folder("run", "ended", "plots")]),
    "artifacts of a model": lambda port: port.artifacts.listings([Folder("model", "m-1", "")]),
}


@pytest.mark.parametrize("kind", CALLS)
async def test_result_is_cached_for_its_ttl(kind: str) -> None:
    """Each result equals the store's, is cached for a few seconds, and is then read again."""
    call, seconds = CALLS[kind], TTL.active
    stack = make_stack(_store())
    expected = _plain(await call(stack.store))
    stack.store.calls.clear()
    operation = stack.operation()
    assert _plain(await call(operation)) == expected
    assert operation.min_ttl == seconds
    stack.clock.now += seconds - 0.5
    assert _plain(await call(stack.operation())) == expected
    assert stack.store.calls.total() == 1
    stack.clock.now += 1.0
    assert _plain(await call(stack.operation())) == expected
    assert stack.store.calls.total() == 2


@pytest.mark.parametrize(
    ("search", "look_up"),
    [
        ("registered", "registered by name"),
        ("versions", "versions by key"),
        ("models of experiments", "models by id"),
    ],
)
async def test_search_replaces_what_lookups_cached(search: str, look_up: str) -> None:
    """After a search has read rows, a lookup reads them again."""
    stack = make_stack(_store())
    for kind in (look_up, look_up, search, look_up):
        await CALLS[kind](stack.operation())
    assert stack.store.calls.total() == 3


async def test_listings_of_two_owners_differ() -> None:
    """Folders of the same path have an entry for each run and each model."""
    stack = make_stack(_store())
    folders = [Folder("run", "ended", ""), Folder("model", "m-1", ""), Folder("model", "m-2", "")]
    await stack.operation().artifacts.listings(folders)
    listings = await stack.operation().artifacts.listings(folders[:2])
    assert stack.store.calls.total() == 1
    assert list(dict.fromkeys(zip(listings.rows["owner_kind"], listings.rows["owner"], strict=True))) == [
        ("run", "ended"),
        ("model", "m-1"),
    ]


def _plain(result: Any) -> Any:
    match result:
        case Pages():
            positions = [result.position(row) for row in range(result.rows.size)]
            return _table(result.rows, NAME), list(result.spans), list(result.has_next), positions
        case Many():
            return _table(result.rows, result.rows.columns), [tuple(span) for span in result.spans]
        case One():
            return [None if row is None else result.rows["name"][row] for row in result.index]
        case list():
            return result
        case _:
            return result


def _table(table: Table, names: Iterable[str]) -> dict[str, Any]:
    columns = {name: table[name] for name in names}
    return {
        name: _plain(column) if isinstance(column, Many) else list(column) for name, column in columns.items()
    }
