"""The cached ports beside `Tracking`: models, registry and artifacts, as one operation sees them."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from gql_server.cache.cache_key import Part
from gql_server.cache.record_reader import RecordKey, RecordReader
from gql_server.cache.serialization import load_many, load_pages, pack_many, pack_pages, packed
from gql_server.cache.ttl import TimeToLive
from schema.ports.artifacts import ArtifactStore, Folder
from schema.ports.models import ModelStore
from schema.ports.registry import RegistryStore, VersionKey
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

# A row is looked up with all that it has, as rows of experiments and runs are.
_MODEL = frozenset(
    {
        *("model_id", "name", "status", "model_type", "created_at", "updated_at"),
        *("artifact_location", "experiment_id", "source_run_id"),
    }
)
_REGISTERED = frozenset({"name", "description", "created_at", "updated_at"})
_VERSION = frozenset(
    {
        *("name", "version", "stage", "status", "description", "source", "created_at", "updated_at"),
        *("source_run_id", "logged_model_id"),
    }
)

Things = Callable[[Sequence[str]], list[RecordKey]]


class CachedModels:
    """Datasets are kept as what was logged to their run; models as experiments are.

    A model is evaluated and tagged long after its run has ended.
    """

    def __init__(
        self, inner: ModelStore, records: RecordReader, lifetimes: TimeToLive, things: Things
    ) -> None:
        self._inner = inner
        self._records = records
        self._lifetimes = lifetimes
        self._things = things

    async def datasets(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the datasets that each run read, by name and digest."""

        async def read(some: Sequence[RecordKey]) -> Many:
            return await self._inner.datasets([thing.id for thing in some], columns)

        return await self._records.lists("datasets", (sorted(columns),), self._things(run_ids), read)

    async def of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the models that each run is the source of or logged as its output, the newest first."""
        parts = (run_ids, sorted(columns))
        return await self._many("models_of_runs", parts, lambda: self._inner.of_runs(run_ids, columns))

    async def of_experiments(self, ids: Sequence[str], page: Page) -> Pages:
        """Return a page of each experiment's models, the newest first."""
        return await _pages(
            self._records,
            ("models_of_experiments", ids, *_place(page)),
            self._lifetimes.running,
            lambda: self._inner.of_experiments(ids, page),
        )

    async def count_of_experiments(self, ids: Sequence[str]) -> Sequence[int | None]:
        """Count each experiment's models; None where that passes the scan limit."""
        running = self._lifetimes.running
        return await self._records.whole(
            "count_models", (ids,), running, lambda: self._inner.count_of_experiments(ids), packed, list
        )

    async def by_id(self, ids: Sequence[str], columns: Collection[str]) -> One:
        """Look models up."""
        return await _rows(
            self._records, "models_by_id", ids, _MODEL.union(columns), self._inner.by_id, self._lifetimes
        )

    async def params(self, ids: Sequence[str]) -> Many:
        """Return the params of each model by key."""
        return await self._logged("model_params", ids, self._inner.params)

    async def tags(self, ids: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        return await self._logged("model_tags", ids, self._inner.tags)

    async def metrics(self, ids: Sequence[str]) -> Many:
        """Return the last value of each metric of each model by key, for each run and dataset."""
        return await self._logged("model_metrics", ids, self._inner.metrics)

    async def _logged(
        self, kind: str, ids: Sequence[str], read: Callable[[list[str]], Awaitable[Many]]
    ) -> Many:
        return await _lists(self._records, kind, ids, self._lifetimes.experiments, read)

    async def _many(self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Many]]) -> Many:
        lifetime = self._lifetimes.running
        return await self._records.whole(kind, parts, lifetime, read, pack_many, load_many)


class CachedRegistry:
    """Searches are kept for as long as any; models, versions and aliases as experiments are."""

    def __init__(self, inner: RegistryStore, records: RecordReader, lifetimes: TimeToLive) -> None:
        self._inner = inner
        self._records = records
        self._lifetimes = lifetimes

    async def models(self, filter_: str | None, page: Page) -> Pages:
        """Return one page of the models that MLflow's filter string finds, by name."""
        parts = ("registered_models", filter_, *_place(page))
        return await _pages(
            self._records, parts, self._lifetimes.running, lambda: self._inner.models(filter_, page)
        )

    async def count_models(self, filter_: str | None) -> int | None:
        """Count the models that a filter finds; None where that passes the scan limit."""

        async def read() -> Sequence[int | None]:
            return [await self._inner.count_models(filter_)]

        running = self._lifetimes.running
        counts: Sequence[int | None] = await self._records.whole(
            "count_registered", (filter_,), running, read, packed, list
        )
        return counts[0]

    async def models_by_name(self, names: Sequence[str], columns: Collection[str]) -> One:
        """Look models up by their exact names."""
        wanted = _REGISTERED.union(columns)
        read = self._inner.models_by_name
        return await _rows(self._records, "registered_by_name", names, wanted, read, self._lifetimes)

    async def model_tags(self, names: Sequence[str]) -> Many:
        """Return the tags of each model by key."""
        experiments = self._lifetimes.experiments
        return await _lists(self._records, "registered_tags", names, experiments, self._inner.model_tags)

    async def aliases(self, names: Sequence[str]) -> Many:
        """Return the aliases of each model by alias, with the versions that they name, there or not."""
        running = self._lifetimes.running
        return await _lists(self._records, "aliases", names, running, self._inner.aliases)

    async def versions(self, names: Sequence[str], page: Page) -> Pages:
        """Return a page of each model's versions, the latest first."""
        parts = ("versions", names, *_place(page))
        return await _pages(
            self._records, parts, self._lifetimes.running, lambda: self._inner.versions(names, page)
        )

    async def count_versions(self, names: Sequence[str]) -> Sequence[int | None]:
        """Count each model's versions; None where that passes the scan limit."""
        running = self._lifetimes.running
        return await self._records.whole(
            "count_versions", (names,), running, lambda: self._inner.count_versions(names), packed, list
        )

    async def versions_by_key(self, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
        """Look versions up."""

        async def read(some: Sequence[str], wanted: frozenset[str]) -> One:
            return await self._inner.versions_by_key([_key(text) for text in some], wanted)

        texts, wanted = list(map(_text, keys)), _VERSION.union(columns)
        return await _rows(self._records, "versions_by_key", texts, wanted, read, self._lifetimes)

    async def versions_of_runs(self, run_ids: Sequence[str], columns: Collection[str]) -> Many:
        """Return the versions that were made from each run, by name, the latest first."""

        async def read() -> Many:
            return await self._inner.versions_of_runs(run_ids, columns)

        parts, running = (run_ids, sorted(columns)), self._lifetimes.running
        return await self._records.whole("versions_of_runs", parts, running, read, pack_many, load_many)

    async def version_tags(self, keys: Sequence[VersionKey]) -> Many:
        """Return the tags of each version by key."""

        async def read(some: list[str]) -> Many:
            return await self._inner.version_tags([_key(text) for text in some])

        texts = list(map(_text, keys))
        return await _lists(self._records, "version_tags", texts, self._lifetimes.experiments, read)


class CachedArtifacts:
    """What is in the folders of a run is kept as what was logged to it; of a model, as an experiment."""

    def __init__(
        self, inner: ArtifactStore, records: RecordReader, lifetimes: TimeToLive, things: Things
    ) -> None:
        self._inner = inner
        self._records = records
        self._lifetimes = lifetimes
        self._things = things

    async def listings(self, folders: Sequence[Folder]) -> Many:
        """Return what is directly in each folder, by path; nothing where there is no such folder."""

        async def read(some: Sequence[RecordKey]) -> Many:
            return await self._inner.listings([_folder(thing) for thing in some])

        return await self._records.lists("artifacts", (), list(map(self._thing, folders)), read)

    def _thing(self, folder: Folder) -> RecordKey:
        if folder.owner_kind == "model":
            return RecordKey(folder.owner, (folder.owner_kind, folder.path), self._lifetimes.experiments)
        (thing,) = self._things([folder.owner])
        return RecordKey(thing.id, (folder.owner_kind, folder.path, *thing.name), thing.lifetime)


def _folder(thing: RecordKey) -> Folder:
    owner_kind, path, *_ = thing.name
    return Folder("model" if owner_kind == "model" else "run", thing.id, path)


async def _rows(
    records: RecordReader,
    kind: str,
    ids: Sequence[str],
    columns: frozenset[str],
    read: Callable[[Sequence[str], frozenset[str]], Awaitable[One]],
    lifetimes: TimeToLive,
) -> One:
    return await records.rows(
        kind,
        ids,
        columns,
        read,
        lambda item: lifetimes.running if item.leaves is None else lifetimes.experiments,
        by_id=False,
    )


async def _pages(
    records: RecordReader, parts: Sequence[Part], lifetime: float, read: Callable[[], Awaitable[Pages]]
) -> Pages:
    return await records.whole("holdings", parts, lifetime, read, pack_pages, load_pages)


async def _lists(
    records: RecordReader,
    kind: str,
    ids: Sequence[str],
    lifetime: float,
    read: Callable[[list[str]], Awaitable[Many]],
) -> Many:
    async def read_things(some: Sequence[RecordKey]) -> Many:
        return await read([thing.id for thing in some])

    return await records.lists(kind, (), [RecordKey(own, (), lifetime) for own in ids], read_things)


def _place(page: Page) -> tuple[Part, ...]:
    return (page.first, page.after, sorted(page.columns))


def _text(key: VersionKey) -> str:
    return f"{key.version}:{key.name}"


def _key(text: str) -> VersionKey:
    version, _, name = text.partition(":")
    return VersionKey(name, version)
