"""A store with the record cache, shared by all operations, and its invalidation."""

from collections.abc import Callable, Iterable

from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.direct_tracking import DirectTracking
from gql_server.cache.invalidation import ALL_SLOTS, affected_slots
from gql_server.cache.record_cache import RecordCache
from gql_server.cache.record_reader import RecordReader
from gql_server.cache.ttl import TimeToLive
from schema.ports.artifacts import ArtifactStore
from schema.ports.tracking import Tracking


class CachedStore:
    """A store and its artifacts with the record cache; `for_operation` returns the ports for one operation.

    A write through this server is visible at once if `invalidate` is called after it. Other changes are
    visible when the TTL has passed. With `cache_records=False` the records themselves are not cached, only
    responses. `max_points` limits the points of one result, as in the store.
    """

    def __init__(
        self,
        store: Tracking,
        artifacts: ArtifactStore,
        cache: Cache,
        *,
        ttl: TimeToLive,
        max_points: int,
        cache_records: bool = True,
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._cache = cache
        self._ttl = ttl
        self._max_points = max_points
        self._record_cache = RecordCache(cache) if cache_records else None
        self._callbacks: list[Callable[[], None]] = []

    def for_operation(
        self,
        principal: str | None = None,
        cache_control: CacheControl = CacheControl.DEFAULT,
        *,
        final: bool = True,
        single_read: bool = False,
    ) -> CachedTracking | DirectTracking:
        """Return the ports for one operation; `principal` is the caller if the store's data depends on it.

        Unless `final`, the operation can be executed again; its calls then raise `MixedRecordsError` rather
        than combine cached records with newer ones. `single_read` states that the operation calls the store
        once at most.
        """
        if self._record_cache is None:
            return DirectTracking(self._store, self._artifacts, self._ttl.active, single_read=single_read)
        reader = RecordReader(self._record_cache, self._ttl, principal, cache_control, final=final)
        return CachedTracking(self._store, self._artifacts, reader, self._max_points)

    def on_invalidate(self, callback: Callable[[], None]) -> None:
        """Call `callback` at each invalidation, before the cache is invalidated."""
        self._callbacks.append(callback)

    async def invalidate(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Invalidate these runs and experiments, and all searches and responses; call this after a write."""
        self._call_back()
        await self._cache.invalidate(affected_slots([*run_ids, *experiment_ids]))

    async def invalidate_all(self) -> None:
        """Invalidate everything, as after a write to all runs of an experiment."""
        self._call_back()
        await self._cache.invalidate(ALL_SLOTS)

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()
