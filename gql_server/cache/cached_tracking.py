"""The `Tracking` port with the record cache, for one operation."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

from typing_extensions import override

from gql_server.cache.cache_key import Part, page_parts
from gql_server.cache.cached_artifacts import CachedArtifacts
from gql_server.cache.cached_lists import CachedList, join_lists, row_count, split_lists
from gql_server.cache.cached_models import CachedModels
from gql_server.cache.cached_registry import CachedRegistry
from gql_server.cache.history_points import until_last_point
from gql_server.cache.known_runs import END_COLUMNS, KnownRuns, LastPoint
from gql_server.cache.record_reader import RecordKey, RecordReader
from gql_server.cache.serialization import dump_groups, load_groups
from schema.ports.artifacts import ArtifactStore
from schema.ports.long_histories import PointPosition
from schema.ports.models import ModelStore
from schema.ports.point_feed import SeriesStates
from schema.ports.registry import RegistryStore
from schema.ports.store_info import StoreInfo
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One, Table
from schema.ports.tracking import (
    Children,
    ExperimentScope,
    Grouping,
    Groups,
    LoggedKind,
    Page,
    Pages,
    Sample,
    Scope,
    Search,
    Series,
    Tracking,
    TrackingWithArtifacts,
)

# All columns are read: that costs a store little, and one entry then serves any selection.
_EXPERIMENT_COLUMNS = frozenset(
    {"experiment_id", "name", "artifact_location", "lifecycle_stage", "created_at", "updated_at"}
)
_EXPERIMENT_KEYS = frozenset({"experiment_id", "name"})
_RUN_COLUMNS = END_COLUMNS | {
    *("name", "lifecycle_stage", "user_id", "started_at", "artifact_uri", "experiment_id")
}


class CachedTracking(TrackingWithArtifacts):
    """Caches each experiment, run and history separately, and searches as a whole.

    A history is cached under the last point of its metric, which the operation has read before.

    One call reads up to `max_points` points of full histories from the cache. For more it calls the store for
    all of them, and the store raises `LimitExceeded`.
    """

    def __init__(
        self, store: Tracking, artifacts: ArtifactStore, reader: RecordReader, max_points: int
    ) -> None:
        self._store = store
        self._reader = reader
        self._known_runs = KnownRuns()
        self._max_points = max_points
        self._models = CachedModels(store.models, reader)
        self._registry = CachedRegistry(store.registry, reader)
        self._artifacts = CachedArtifacts(artifacts, reader)

    @property
    def min_ttl(self) -> float:
        """Return the shortest remaining TTL of all that this operation has read so far, in seconds."""
        return self._reader.min_ttl

    @property
    def age(self) -> float | None:
        """Return the age of the oldest cached record that this operation has read, in seconds, or None."""
        return self._reader.origin.age

    @property
    def is_mixed(self) -> bool:
        """Return whether the operation must be executed again without the cache, and its result dropped."""
        return self._reader.origin.is_mixed

    @property
    @override
    def kind(self) -> StoreKind:
        return self._store.kind

    @property
    @override
    def models(self) -> ModelStore:
        return self._models

    @property
    @override
    def registry(self) -> RegistryStore:
        return self._registry

    @property
    @override
    def artifacts(self) -> ArtifactStore:
        return self._artifacts

    @override
    async def experiments(self, search: Search, page: Page) -> Pages:
        page = replace(page, columns=_EXPERIMENT_KEYS.union(page.columns))
        parts = (_search_part(search), page_parts(page))
        replaces = {
            "experiments_by_id": itemgetter("experiment_id"),
            "experiments_by_name": itemgetter("name"),
        }
        return await self._reader.read_pages(
            "experiments", parts, lambda: self._store.experiments(search, page), replaces
        )

    @override
    async def count_experiments(self, search: Search) -> int | None:
        async def read() -> Sequence[int | None]:
            return [await self._store.count_experiments(search)]

        (count,) = await self._reader.read_values("count_experiments", (_search_part(search),), read)
        return count

    @override
    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        requested = _EXPERIMENT_COLUMNS.union(columns)
        return await self._reader.read_rows(
            "experiments_by_id", ids, requested, self._store.experiments_by_id
        )

    @override
    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        requested = _EXPERIMENT_COLUMNS.union(columns)
        return await self._reader.read_rows(
            "experiments_by_name", names, requested, self._store.experiments_by_name, by_id=False
        )

    @override
    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        async def read(missing: Sequence[str]) -> Many:
            return await self._store.experiment_tags(missing, keys)

        return await self._reader.read_entity_lists("experiment_tags", ids, read, keys)

    @override
    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        page = replace(page, columns=END_COLUMNS.union(page.columns))
        parts = (_scopes_part(scopes), _search_part(search), page_parts(page))
        pages = await self._reader.read_pages(
            "runs",
            parts,
            lambda: self._store.runs(scopes, search, page),
            {"runs_by_id": itemgetter("run_id")},
        )
        await self._add_known(pages.rows)
        return pages

    @override
    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        parts = (_scopes_part(scopes), _search_part(search))
        return await self._reader.read_values(
            "count_runs", parts, lambda: self._store.count_runs(scopes, search)
        )

    @override
    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        return await self._reader.read_whole(
            "run_groups",
            (_scopes_part([scope]), _search_part(search), repr(grouping)),
            lambda: self._store.run_groups(scope, search, grouping),
            dump_groups,
            load_groups,
        )

    @override
    async def logged_keys(
        self, by: LoggedKind, experiment_ids: Sequence[str]
    ) -> Sequence[Sequence[str] | None]:
        parts = (by, [*experiment_ids])
        return await self._reader.read_values(
            "logged_keys", parts, lambda: self._store.logged_keys(by, experiment_ids)
        )

    @override
    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        requested = _RUN_COLUMNS.union(columns)
        rows = await self._reader.read_rows("runs_by_id", ids, requested, self._store.runs_by_id)
        await self._add_known(rows.rows)
        return rows

    @override
    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._read_logged("params", run_ids, keys, self._store.params)

    @override
    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        return await self._read_logged("tags", run_ids, keys, self._store.tags)

    @override
    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        metrics = await self._read_logged("metrics", run_ids, keys, self._store.metrics)
        self._known_runs.add_metrics(metrics)
        return metrics

    @override
    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        if not series:
            return await self._store.histories(series, from_step, to_step, sample)
        last_points = dict(zip(series, self._known_runs.last_points(series), strict=True))

        async def read(record_keys: Sequence[RecordKey]) -> Many:
            missing = [(key.id, key.parts[0]) for key in record_keys]
            histories = split_lists(await self._store.histories(missing, from_step, to_step, sample))
            return join_lists(
                [
                    until_last_point(history, last_points[each], from_step, sampled=sample is not None)
                    for each, history in zip(missing, histories, strict=True)
                ]
            )

        record_keys = [RecordKey(run_id, (key, repr(last_points[run_id, key]))) for run_id, key in series]
        parts = (from_step, to_step, *((sample.max_points, sample.method) if sample else ()))
        try:
            return await self._reader.read_lists(
                "histories",
                parts,
                record_keys,
                read,
                check=_PointBudget(self._max_points).spend,
                ttl=lambda key: self._history_ttl(key.id, last_points[key.id, key.parts[0]]),
                group=lambda key: (key.id, key.parts[0]),
            )
        except _TooManyPoints:
            return await read(record_keys)

    @override
    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        # Exports read parts of long histories once each, so that caching them is of no use.
        self._reader.origin.require_fresh()
        return await self._store.count_points(series)

    @override
    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        self._reader.origin.require_fresh()
        return await self._store.points_after(series, after, first)

    @override
    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        self._reader.origin.require_fresh()
        return await self._store.series_states(run_ids, keys)

    @override
    async def points_from(self, series: Mapping[Series, int | None]) -> Many:
        self._reader.origin.require_fresh()
        return await self._store.points_from(series)

    @override
    async def info(self) -> StoreInfo:
        return await self._store.info()

    @property
    def port(self) -> TrackingWithArtifacts:
        """Return these ports."""
        return self

    def release(self) -> None:
        """Do nothing: the store has no snapshots."""

    @override
    async def ready(self) -> None:
        await self._store.ready()

    @override
    async def close(self) -> None:
        """Do nothing: other operations use the store."""

    async def _read_logged(
        self,
        kind: str,
        run_ids: Sequence[str],
        keys: Collection[str] | None,
        read: Callable[[Sequence[str], Collection[str] | None], Awaitable[Many]],
    ) -> Many:
        return await self._reader.read_entity_lists(kind, run_ids, lambda missing: read(missing, keys), keys)

    async def _add_known(self, runs: Table) -> None:
        if not await self._known_runs.add(runs):
            # A run changed between two reads of this operation.
            self._reader.origin.refuse()

    def _history_ttl(self, run_id: str, last: LastPoint | None) -> float:
        # A history whose last point is not known cannot be checked when it is used again.
        finished = last is not None and self._known_runs.is_finished(run_id)
        return self._reader.ttl.of_history(finished=finished)


class _TooManyPoints(Exception):
    pass


class _PointBudget:
    def __init__(self, points: int) -> None:
        self._points = points

    def spend(self, history: CachedList) -> None:
        self._points -= row_count(history)
        if self._points < 0:
            raise _TooManyPoints


def _search_part(search: Search) -> Part:
    order = [(key.by, key.key, key.descending) for key in search.order]
    return (search.filter, repr(search.where), order, search.view.name)


def _scopes_part(scopes: Sequence[Scope]) -> Part:
    return [
        (scope.run_id, scope.experiment_id, "children") if isinstance(scope, Children) else scope and [*scope]
        for scope in scopes
    ]
