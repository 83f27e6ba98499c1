"""The port over any other implementation of it, for one operation, reading what was not read lately."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING

from gql_server.cache.cache_key import Part
from gql_server.cache.cached_lists import CachedList, length
from gql_server.cache.cached_ports import CachedArtifacts, CachedModels, CachedRegistry
from gql_server.cache.cached_rows import CachedRow
from gql_server.cache.finished_runs import ENDING, end_of
from gql_server.cache.record_reader import RecordKey, RecordReader
from gql_server.cache.serialization import load_groups, load_pages, pack_groups, pack_pages, packed
from gql_server.cache.uncached_histories import UncachedHistories
from schema.ports.artifacts import ArtifactStore
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, One
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
)

if TYPE_CHECKING:
    from gql_server.cache.cached_store import CachedStore

# A row is looked up with all that it has, which costs a store little and lets one entry serve all who ask.
_EXPERIMENT = frozenset(
    {"experiment_id", "name", "artifact_location", "lifecycle_stage", "created_at", "updated_at"}
)
_RUN = ENDING | {"name", "lifecycle_stage", "user_id", "started_at", "artifact_uri", "experiment_id"}


class CachedTracking(UncachedHistories):
    """The port, for one operation, over a store whose answers are kept: each thing alone, searches whole."""

    def __init__(self, store: "CachedStore", records: RecordReader) -> None:
        self._store = store
        self._inner = store.inner
        self._lifetimes = store.lifetimes
        self._records = records

        self.models: ModelStore = CachedModels(self._inner.models, records, self._lifetimes, self._things)
        self.registry: RegistryStore = CachedRegistry(self._inner.registry, records, self._lifetimes)
        self.artifacts: ArtifactStore = CachedArtifacts(
            store.artifacts, records, self._lifetimes, self._things
        )

    @property
    def shortest(self) -> float:
        """Return the seconds for which all that this operation has read so far holds."""
        return self._records.shortest

    @property
    def kind(self) -> StoreKind:
        """Say which family the store is of."""
        return self._inner.kind

    async def experiments(self, search: Search, page: Page) -> Pages:
        """Return one page of experiments."""
        parts = (_plain(search), _place(page))
        return await self._pages("experiments", parts, lambda: self._inner.experiments(search, page))

    async def count_experiments(self, search: Search) -> int | None:
        """Count the matching experiments; None where that passes the scan limit."""

        async def read() -> Sequence[int | None]:
            return [await self._inner.count_experiments(search)]

        return (await self._counted("count_experiments", (_plain(search),), read))[0]

    async def experiments_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up, deleted ones too."""
        return await self._records.rows(
            "experiments_by_id",
            ids,
            _EXPERIMENT.union(columns),
            self._inner.experiments_by_id,
            self._experiment_lifetime,
        )

    async def experiments_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look experiments up by their exact names, deleted ones too."""
        return await self._records.rows(
            "experiments_by_name",
            names,
            _EXPERIMENT.union(columns),
            self._inner.experiments_by_name,
            self._experiment_lifetime,
            by_id=False,
        )

    async def experiment_tags(self, ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each experiment by key; all of them, or those under the keys given."""
        things = [RecordKey(own, (), self._lifetimes.experiments) for own in ids]

        async def read(some: Sequence[RecordKey]) -> Many:
            return await self._inner.experiment_tags([thing.id for thing in some], keys)

        return await self._records.lists("experiment_tags", (), things, read, keys)

    async def runs(self, scopes: Sequence[Scope], search: Search, page: Page) -> Pages:
        """Return the first runs of each scope."""
        page = replace(page, columns=page.columns | ENDING)
        parts = (_scopes(scopes), _plain(search), _place(page))
        pages = await self._pages("runs", parts, lambda: self._inner.runs(scopes, search, page))
        self._store.ended.learn(pages.rows)
        return pages

    async def count_runs(self, scopes: Sequence[Scope], search: Search) -> Sequence[int | None]:
        """Count the matching runs of each scope; None where that passes the scan limit."""
        parts = (_scopes(scopes), _plain(search))
        return await self._counted("count_runs", parts, lambda: self._inner.count_runs(scopes, search))

    async def run_groups(self, scope: ExperimentScope, search: Search, grouping: Grouping) -> Groups:
        """Group the matching runs."""
        parts = (_scopes([scope]), _plain(search), repr(grouping))
        return await self._records.whole(
            "run_groups",
            parts,
            self._lifetimes.running,
            lambda: self._inner.run_groups(scope, search, grouping),
            pack_groups,
            load_groups,
        )

    async def logged_keys(self, by: LoggedKind, experiment_ids: Sequence[str]) -> Sequence[Sequence[str]]:
        """Return the distinct keys of each experiment's active runs."""
        return await self._records.whole(
            "logged_keys",
            (by, [*experiment_ids]),
            self._lifetimes.running,
            lambda: self._inner.logged_keys(by, experiment_ids),
            packed,
            list,
        )

    async def runs_by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look runs up, deleted ones too."""
        found = await self._records.rows(
            "runs_by_id",
            ids,
            _RUN.union(columns),
            self._inner.runs_by_id,
            lambda item: self._run_lifetime(_end(item)),
            lambda run_id, item: self._store.ended.agrees(run_id, _end(item)),
        )
        self._store.ended.learn(found.rows)
        return found

    async def params(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the params of each run by key; all of them, or those under the keys given."""
        return await self._logged("params", run_ids, keys, self._inner.params)

    async def tags(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the tags of each run by key; all of them, or those under the keys given."""
        return await self._logged("tags", run_ids, keys, self._inner.tags)

    async def metrics(self, run_ids: Sequence[str], keys: Collection[str] | None) -> Many:
        """Return the last value of each metric of each run by key; all, or those under the keys given."""
        return await self._logged("metrics", run_ids, keys, self._inner.metrics)

    async def histories(
        self,
        series: Sequence[Series],
        from_step: int | None,
        to_step: int | None,
        sample: Sample | None = None,
    ) -> Many:
        """Return the points of each metric by step and timestamp; what was sampled is kept as it is."""

        async def read(some: Sequence[RecordKey]) -> Many:
            asked = [(thing.id, thing.name[0]) for thing in some]
            return await self._inner.histories(asked, from_step, to_step, sample)

        things = self._things([run_id for run_id, _ in series], [key for _, key in series])
        parts = (from_step, to_step, *((sample.max_points, sample.method) if sample else ()))
        budget = _Budget(self._store.most_points)
        try:
            return await self._records.lists("histories", parts, things, read, weigh=budget.spend)
        except _TooManyPoints:
            return await self._inner.histories(series, from_step, to_step, sample)

    async def ready(self) -> None:
        """Return when the store answers; raise the fault that says why it does not."""
        await self._inner.ready()

    async def close(self) -> None:
        """Leave the store open: other operations use it."""

    async def _pages(self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Pages]]) -> Pages:
        running = self._lifetimes.running
        return await self._records.whole(kind, parts, running, read, pack_pages, load_pages)

    async def _counted(
        self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Sequence[int | None]]]
    ) -> Sequence[int | None]:
        return await self._records.whole(kind, parts, self._lifetimes.running, read, packed, list)

    async def _logged(
        self,
        kind: str,
        run_ids: Sequence[str],
        keys: Collection[str] | None,
        read: Callable[[Sequence[str], Collection[str] | None], Awaitable[Many]],
    ) -> Many:
        async def read_things(some: Sequence[RecordKey]) -> Many:
            return await read([thing.id for thing in some], keys)

        return await self._records.lists(kind, (), self._things(run_ids), read_things, keys)

    def _things(self, run_ids: Sequence[str], keys: Iterable[str] = repeat("")) -> list[RecordKey]:
        ends = self._store.ended.ends(run_ids)
        # The end is part of the name: a run that was resumed has nothing in common with what it was.
        names = zip(keys, map(str, ends), strict=False)
        return list(map(RecordKey, run_ids, names, map(self._run_lifetime, ends)))

    def _run_lifetime(self, end: int | None) -> float:
        return self._lifetimes.running if end is None else self._lifetimes.ended

    def _experiment_lifetime(self, item: CachedRow) -> float:
        return self._lifetimes.running if item.leaves is None else self._lifetimes.experiments


class _TooManyPoints(Exception):
    pass


class _Budget:
    def __init__(self, points: int) -> None:
        self._points = points

    def spend(self, piece: CachedList) -> None:
        self._points -= length(piece)
        if self._points < 0:
            raise _TooManyPoints


def _end(item: CachedRow) -> int | None:
    return end_of(item.leaves["status"], item.leaves["ended_at"]) if item.leaves else None


def _plain(search: Search) -> Part:
    order = [(key.by, key.key, key.descending) for key in search.order]
    return (search.filter, repr(search.where), order, search.view.name)


def _scopes(scopes: Sequence[Scope]) -> Part:
    return [
        (scope.run_id, scope.experiment_id, "children") if isinstance(scope, Children) else scope and [*scope]
        for scope in scopes
    ]


def _place(page: Page) -> Part:
    return (page.first, page.after, sorted(page.columns))
