"""The cached store: what all operations share of the cache before a store, and how changes are told to it."""

from collections.abc import Callable, Iterable

from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.finished_runs import FinishedRuns
from gql_server.cache.invalidation import ALL_SLOTS, slots_of
from gql_server.cache.record_cache import RecordCache
from gql_server.cache.record_reader import RecordReader
from gql_server.cache.ttl import TimeToLive
from schema.ports.artifacts import ArtifactStore
from schema.ports.tracking import Tracking


class CachedStore:
    """A store and its artifacts with a cache before them; `for_operation` gives the port for one operation.

    What was logged to a run that has ended is seen after `lifetimes.ended` seconds at most, and a change made
    through this server at once, given that `forget` is called after it. With `records=False` nothing is kept
    here, and only how long the answers hold is noted, for the layer of whole answers. Where more points are
    kept than the `most_points` that one answer may have, the store is asked for all of them, and refuses in
    its own words.
    """

    def __init__(
        self,
        inner: Tracking,
        artifacts: ArtifactStore,
        cache: Cache,
        *,
        lifetimes: TimeToLive | None = None,
        records: bool = True,
        most_points: int = 1_000_000,
    ) -> None:
        self.inner = inner
        self.artifacts = artifacts
        self.lifetimes = lifetimes or TimeToLive()
        self.most_points = most_points
        self.ended = FinishedRuns()
        self._cache = cache
        self._entries = RecordCache(cache) if records else None
        self._changed: list[Callable[[], None]] = []

    def for_operation(
        self, principal: str | None = None, use: CacheControl = CacheControl.ANY
    ) -> "CachedTracking":
        """Return the store as one operation sees it; `principal` is who asks, where it answers per caller."""
        return CachedTracking(self, RecordReader(self._entries, principal, use, self.lifetimes.ended))

    def tell(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change that is made through this server."""
        self._changed.append(changed)

    async def forget(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Make a change of these things visible to all that is read from now on; called after the change."""
        run_ids = list(run_ids)
        self.ended.forget(run_ids)
        self._tell()
        await self._cache.forget(slots_of([*run_ids, *experiment_ids]))

    async def forget_all(self) -> None:
        """Make a change of any number of things visible, such as that of all runs of an experiment."""
        self._tell()
        await self._cache.forget(ALL_SLOTS)

    def _tell(self) -> None:
        for changed in self._changed:
            changed()
