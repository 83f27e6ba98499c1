"""The ports of the store in memory to models, the registry and artifacts."""

# ruff: noqa: D102 - the ports document the methods

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from schema.ports.artifacts import Folder
from schema.ports.registry import VersionKey
from schema.ports.store_info import REGISTRY_FEATURES, StoreFeature
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages
from tests.support.schema import memory_tracking

if TYPE_CHECKING:
    from tests.support.schema.memory_tracking import MemoryTracking, Record

_COLUMNS = ("owner_kind", "owner", "path", "is_dir", "size", "is_readable", "error")


class MemoryModels:
    """The models of experiments. The models of a run are those with its id as `source_run_id`."""

    def __init__(self, store: "MemoryTracking") -> None:
        self._store = store

    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        await self._store.record_call("models.datasets", run_ids, columns)
        runs = self._store.all_runs()
        return memory_tracking.many([runs[run_id]["datasets"] for run_id in run_ids], memory_tracking.DATASET)

    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        await self._store.record_call("models.of_runs", run_ids, columns)
        models = [[model for model in self._all() if model["source_run_id"] == run_id] for run_id in run_ids]
        return _rows(self._store, models, columns)

    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        await self._store.record_call("models.of_experiments", ids, page)
        return self._store.pages([self._of(id_) for id_ in ids], page)

    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        await self._store.record_call("models.count_of_experiments", ids)
        return [len(self._of(id_)) for id_ in ids]

    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        await self._store.record_call("models.by_id", ids, columns)
        return self._store.look_up({model["model_id"]: model for model in self._all()}, ids, columns)

    async def params(self, ids: Sequence[str]) -> Many:
        return await self._logged("params", ids)

    async def tags(self, ids: Sequence[str]) -> Many:
        return await self._logged("tags", ids)

    async def metrics(self, ids: Sequence[str]) -> Many:
        return await self._logged("metrics", ids)

    async def _logged(self, kind: str, ids: Sequence[str]) -> Many:
        await self._store.record_call(f"models.{kind}", ids)
        known = {model["model_id"]: model for model in self._all()}
        return memory_tracking.many([known[id_][kind] for id_ in ids], memory_tracking.RELATED[kind])

    def _all(self) -> "list[Record]":
        return [model for experiment in self._store.stored for model in experiment["models"]]

    def _of(self, experiment_id: str) -> "list[Record]":
        return [
            model
            for experiment in self._store.stored
            if experiment["experiment_id"] == experiment_id
            for model in experiment["models"]
        ]


class MemoryRegistry:
    """The registered models of the store, with their `versions`, `aliases` and `tags`."""

    def __init__(self, store: "MemoryTracking") -> None:
        self._store = store

    async def features(self) -> Collection[StoreFeature]:
        await self._store.record_call("registry.features")
        return REGISTRY_FEATURES

    async def models(self, filter_: str | None, page: Page) -> Pages:
        await self._store.record_call("registry.models", filter_, page)
        return self._store.pages([self._store.registered], page)

    async def count_models(self, filter_: str | None) -> int | None:
        await self._store.record_call("registry.count_models", filter_)
        return len(self._store.registered)

    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        await self._store.record_call("registry.models_by_name", names, columns)
        return self._store.look_up(self._named(), names, columns)

    async def model_tags(self, names: Sequence[str]) -> Many:
        return await self._related("tags", names)

    async def aliases(self, names: Sequence[str]) -> Many:
        return await self._related("aliases", names)

    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        await self._store.record_call("registry.versions", names, page)
        named = self._named()
        return self._store.pages([named[name]["versions"] for name in names], page)

    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        await self._store.record_call("registry.count_versions", names)
        named = self._named()
        return [len(named[name]["versions"]) for name in names]

    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        await self._store.record_call("registry.versions_by_key", keys, columns)
        return self._store.look_up(self._keyed(), keys, columns)

    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        await self._store.record_call("registry.versions_of_runs", run_ids, columns)
        versions = self._keyed().values()
        versions_of = [[one for one in versions if one["source_run_id"] == run_id] for run_id in run_ids]
        return _rows(self._store, versions_of, columns)

    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        await self._store.record_call("registry.version_tags", keys)
        keyed = self._keyed()
        return memory_tracking.many([keyed[key]["tags"] for key in keys], memory_tracking.KEY_VALUE)

    async def _related(self, kind: str, names: Sequence[str]) -> Many:
        await self._store.record_call(f"registry.{kind}", names)
        named = self._named()
        lists = [named[name][kind] if name in named else [] for name in names]
        return memory_tracking.many(lists, memory_tracking.RELATED[kind])

    def _named(self) -> "dict[str, Record]":
        return {model["name"]: model for model in self._store.registered}

    def _keyed(self) -> "dict[Any, Record]":
        return {
            VersionKey(version["name"], version["version"]): version
            for model in self._store.registered
            for version in model["versions"]
        }


class MemoryArtifacts:
    """The `files` of runs and models: all entries of all folders."""

    def __init__(self, store: "MemoryTracking") -> None:
        self._store = store

    async def listings(self, folders: Sequence[Folder]) -> Many:
        await self._store.record_call("artifacts.listings", folders)
        return memory_tracking.many([self._in(folder) for folder in folders], _COLUMNS)

    def _in(self, folder: Folder) -> "list[Record]":
        owners = {"run": self._store.all_runs()}.get(folder.owner_kind) or {
            model["model_id"]: model for experiment in self._store.stored for model in experiment["models"]
        }
        files = owners[folder.owner]["files"]
        entries = [one for one in files if one["path"].rpartition("/")[0] == folder.path]
        located = {"owner_kind": folder.owner_kind, "owner": folder.owner, "is_readable": True, "error": None}
        return [located | one for one in entries]


def _rows(store: "MemoryTracking", lists: "Sequence[list[Record]]", columns: Collection[str]) -> Many:
    spans = memory_tracking.many(lists, ()).spans
    return Many(store.table([one for records in lists for one in records], columns), spans)
