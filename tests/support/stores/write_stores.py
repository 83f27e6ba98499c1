"""Write stores, with a cache that records the invalidated ids."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.single_attempt import open_single_attempt_store
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.writes.write_store import WriteStore
from schema.ports.store_kind import StoreKind
from tests.support.limits import LIMITS

LONG_TIMEOUT: Final = 30.0
IN_DOUBT: Final = "may or may not have been applied"
"""The message of a change of which it is unknown whether it was applied."""


@dataclass
class RecordingCache:
    """A cache that records the ids invalidated: per call, joined by commas, or "all"."""

    invalidated: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def invalidate(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Record the ids."""
        self.invalidated.append(",".join([*run_ids, *experiment_ids]))
        self.changed.set()

    async def invalidate_all(self) -> None:
        """Record "all"."""
        self.invalidated.append("all")
        self.changed.set()

    async def wait_for_invalidations(self, count: int) -> None:
        """Return after at least `count` invalidations."""
        async with asyncio.timeout(60):
            while len(self.invalidated) < count:
                await self.changed.wait()
                self.changed.clear()


def open_write_store(
    uri: str,
    kind: StoreKind,
    timeout: float = LONG_TIMEOUT,
    cache: RecordingCache | None = None,
    threads: int = 4,
    retries: int = 0,
) -> WriteStore:
    """Return a write store at a tracking URI; if the timeout is short, its store is already open."""
    lazy_store = LazyStore(uri, build=open_single_attempt_store)
    if timeout < LONG_TIMEOUT:
        lazy_store.get()
    calls = StoreCalls(lazy_store, threads, max_bytes=LIMITS.store.max_upstream_bytes, retries=retries)
    return WriteStore(calls, kind, timeout, cache or RecordingCache())
