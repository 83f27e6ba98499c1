"""Calls to MLflow's blocking store from async code: in threads of its own, bounded, counted."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar

from gql_server.runtime.retry import call_with_retries
from gql_server.runtime.threads import Threads
from gql_server.stores.mlflow.lazy_store import LazyStore

_T = TypeVar("_T")
_READS = ("get_", "search_", "list_")
"""How the names of methods begin that change nothing."""


class StoreCalls:
    """Runs the methods of a store in at most `threads` threads.

    A call that is waited for no longer is taken off the queue; one that reads over HTTP already ends there.
    `counts` says how often each method was called, for tests and for measuring. What a store could not
    answer at the moment it is asked up to `retries` times more.
    """

    def __init__(self, store: LazyStore, threads: int, retries: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self._counting = Lock()
        self._store = store
        self._retries = retries
        self._threads = Threads(threads, "store")

    async def one(self, method: str, *args: Any, **options: Any) -> Any:
        """Return what one call returns."""
        return await self._run(lambda: self._call(method, args, options), reads=method.startswith(_READS))

    async def apply(self, ask: Callable[..., _T], *args: Any, reads: bool = False) -> _T:
        """Return what a function of the store returns; it counts its calls itself.

        `reads` says that it changes nothing, and may be asked again, or be broken off.
        """
        return await self._run(lambda: ask(self._store.get(), *args), reads=reads)

    def count(self, method: str) -> None:
        """Count a call; threads do so at once."""
        with self._counting:
            self.counts[method] += 1

    async def open(self) -> None:
        """Open the store if it is not open."""
        await self._threads.run(self._store.get)

    async def close(self) -> None:
        """Close the store, and its threads as they finish."""
        self._threads.close()
        await asyncio.to_thread(self._store.close)

    async def _run(self, work: Callable[[], _T], *, reads: bool) -> _T:
        run = self._threads.run_cancellable if reads else self._threads.run
        return await call_with_retries(lambda: run(work), self._retries, idempotent=reads)

    def _call(self, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        store = self._store.get()
        self.count(method)
        return getattr(store, method)(*args, **options)


async def together(tasks: Sequence[asyncio.Future[Any]]) -> Sequence[Any]:
    """Return the results of all; when one fails, or nobody waits any more, stop the others."""
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
