"""The port for the model registry, with the record cache."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

from typing_extensions import override

from gql_server.cache.cache_key import page_parts
from gql_server.cache.record_reader import RecordReader
from schema.ports.registry import RegistryStore, VersionKey
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Page, Pages

# All columns are read: that costs a store little, and one entry then serves any selection.
_MODEL_COLUMNS = frozenset({"name", "description", "created_at", "updated_at"})
_VERSION_COLUMNS = frozenset(
    {
        *("name", "version", "stage", "status", "description", "source", "created_at", "updated_at"),
        *("source_run_id", "logged_model_id"),
    }
)


class CachedRegistry(RegistryStore):
    """Caches registered models, their versions and searches for them."""

    def __init__(self, store: RegistryStore, reader: RecordReader) -> None:
        self._store = store
        self._reader = reader

    @override
    async def features(self) -> Collection[StoreFeature]:
        return await self._store.features()

    @override
    async def models(self, filter_: str | None, page: Page) -> Pages:
        page = replace(page, columns=frozenset({"name"}).union(page.columns))
        parts = (filter_, *page_parts(page))
        return await self._reader.read_pages(
            "registered_models",
            parts,
            lambda: self._store.models(filter_, page),
            {"registered_by_name": itemgetter("name")},
        )

    @override
    async def count_models(self, filter_: str | None) -> int | None:
        async def read() -> Sequence[int | None]:
            return [await self._store.count_models(filter_)]

        (count,) = await self._reader.read_values("count_registered", (filter_,), read)
        return count

    @override
    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        requested = _MODEL_COLUMNS.union(columns)
        return await self._reader.read_rows(
            "registered_by_name", names, requested, self._store.models_by_name, by_id=False
        )

    @override
    async def model_tags(self, names: Sequence[str]) -> Many:
        return await self._reader.read_entity_lists("registered_tags", names, self._store.model_tags)

    @override
    async def aliases(self, names: Sequence[str]) -> Many:
        return await self._reader.read_entity_lists("aliases", names, self._store.aliases)

    @override
    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        page = replace(page, columns=frozenset({"name", "version"}).union(page.columns))
        parts = (names, *page_parts(page))
        return await self._reader.read_pages(
            "versions", parts, lambda: self._store.versions(names, page), {"versions_by_key": _version_ids}
        )

    @override
    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        return await self._reader.read_values(
            "count_versions", (names,), lambda: self._store.count_versions(names)
        )

    @override
    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        async def read(ids: Sequence[str], requested: frozenset[str]) -> One:
            return await self._store.versions_by_key(list(map(_version_key, ids)), requested)

        return await self._reader.read_rows(
            "versions_by_key",
            list(map(_version_id, keys)),
            _VERSION_COLUMNS.union(columns),
            read,
            by_id=False,
        )

    @override
    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        parts = (run_ids, sorted(columns))
        return await self._reader.read_many(
            "versions_of_runs", parts, lambda: self._store.versions_of_runs(run_ids, columns)
        )

    @override
    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        async def read(ids: Sequence[str]) -> Many:
            return await self._store.version_tags(list(map(_version_key, ids)))

        return await self._reader.read_entity_lists("version_tags", list(map(_version_id, keys)), read)


def _version_ids(versions: Table) -> Iterable[str]:
    return map(_version_id, map(VersionKey, versions["name"], versions["version"]))


def _version_id(key: VersionKey) -> str:
    return f"{key.version}:{key.name}"


def _version_key(version_id: str) -> VersionKey:
    version, _, name = version_id.partition(":")
    return VersionKey(name, version)
