"""The port for datasets and logged models, with the record cache."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from operator import itemgetter

from typing_extensions import override

from gql_server.cache.cache_key import page_parts
from gql_server.cache.record_reader import RecordReader
from schema.ports.models import ModelStore
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

# All columns are read: that costs a store little, and one entry then serves any selection.
_COLUMNS = frozenset(
    {
        *("model_id", "name", "status", "model_type", "created_at", "updated_at"),
        *("artifact_location", "experiment_id", "source_run_id"),
    }
)


class CachedModels(ModelStore):
    """Caches models and their data, and the datasets of runs."""

    def __init__(self, store: ModelStore, reader: RecordReader) -> None:
        self._store = store
        self._reader = reader

    @override
    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        async def read(missing: Sequence[str]) -> Many:
            return await self._store.datasets(missing, columns)

        return await self._reader.read_entity_lists("datasets", run_ids, read, parts=(sorted(columns),))

    @override
    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        parts = (run_ids, sorted(columns))
        return await self._reader.read_many(
            "models_of_runs", parts, lambda: self._store.of_runs(run_ids, columns)
        )

    @override
    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        page = replace(page, columns=frozenset({"model_id"}).union(page.columns))
        parts = (ids, *page_parts(page))
        return await self._reader.read_pages(
            "models_of_experiments",
            parts,
            lambda: self._store.of_experiments(ids, page),
            {"models_by_id": itemgetter("model_id")},
        )

    @override
    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        return await self._reader.read_values(
            "count_models", (ids,), lambda: self._store.count_of_experiments(ids)
        )

    @override
    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        return await self._reader.read_rows(
            "models_by_id", ids, _COLUMNS.union(columns), self._store.by_id, by_id=False
        )

    @override
    async def params(self, ids: Sequence[str]) -> Many:
        return await self._reader.read_entity_lists("model_params", ids, self._store.params)

    @override
    async def tags(self, ids: Sequence[str]) -> Many:
        return await self._reader.read_entity_lists("model_tags", ids, self._store.tags)

    @override
    async def metrics(self, ids: Sequence[str]) -> Many:
        return await self._reader.read_entity_lists("model_metrics", ids, self._store.metrics)
