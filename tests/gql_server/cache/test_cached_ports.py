"""The cached ports for models, registry and artifacts return the store's results with fewer calls."""

from collections.abc import Iterable
from typing import Any

import pytest

from schema.ports.artifacts import Folder
from schema.ports.registry import VersionKey
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Page, Pages
from tests.support.app.cache_stack import PortCall, make_stack
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
CALLS: dict[str, tuple[PortCall, float]] = {
    "datasets": (lambda port: port.models.datasets(["ended"], NAME), 300.0),
    "datasets of an active run": (lambda port: port.models.datasets(RUNS, NAME), 2.0),
    "models of runs": (lambda port: port.models.of_runs(RUNS, WITH_LISTS), 2.0),
    "models of experiments": (lambda port: port.models.of_experiments(["0"], PAGE), 2.0),
    "count of models": (lambda port: port.models.count_of_experiments(["0"]), 2.0),
    "models by id": (lambda port: port.models.by_id(MODELS, WITH_LISTS), 10.0),
    "a missing model": (lambda port: port.models.by_id(["m-9"], NAME), 2.0),
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
    "a missing version": (lambda port: port.registry.versions_by_key(KEYS, NAME), 2.0),
    "versions of runs": (lambda port: port.registry.versions_of_runs(RUNS, NAME), 2.0),
    "tags of versions": (lambda port: port.registry.version_tags([KEYS[0], KEYS[2]]), 10.0),
    "artifacts": (lambda port: port.artifacts.listings([Folder("run", "ended", "plots")]), 300.0),
    "artifacts of an active run": (
        lambda port: port.artifacts.listings([Folder("run", "running", "")]),
        2.0,
    ),
    "artifacts of a model": (lambda port: port.artifacts.listings([Folder("model", "m-1", "")]), 10.0),
}


@pytest.mark.parametrize("kind", CALLS)
async def test_result_is_cached_for_its_ttl(kind: str) -> None:
    """Each result equals the store's, is cached for the TTL of its kind, and is then read again."""
    call, seconds = CALLS[kind]
    stack = make_stack(_store())
    # The end time of a run is known once its row has been read.
    await stack.operation().runs_by_id(RUNS, frozenset({"status"}))
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


async def test_folders_are_cached_separately() -> None:
    """A listed folder is not listed again together with others, and folders of two owners differ."""
    stack = make_stack(_store())
    folders = [Folder("run", "ended", ""), Folder("model", "m-1", "")]
    await stack.operation().artifacts.listings(folders)
    stack.store.requests.clear()
    listings = await stack.operation().artifacts.listings([*folders, Folder("model", "m-2", "")])
    assert [call[1] for call in stack.store.requests] == [[Folder("model", "m-2", "")]]
    assert list(dict.fromkeys(zip(listings.rows["owner_kind"], listings.rows["owner"], strict=True))) == [
        ("run", "ended"),
        ("model", "m-1"),
        ("model", "m-2"),
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
