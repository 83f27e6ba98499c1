"""Calls to MLflow's blocking store from async code: in threads of its own, bounded, counted."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gql_server.tracking.lazy_store import LazyStore

_T = TypeVar("_T")


class StoreCalls:
    """Runs the methods of a store in at most `threads` threads.

    A call that is waited for no longer is taken off the queue; one that runs already ends by its own time
    limit. `counts` says how often each method was called, for tests and for measuring.
    """

    def __init__(self, store: LazyStore, threads: int) -> None:
        self.counts: Counter[str] = Counter()
        self._store = store
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mlflow-store")

    async def one(self, method: str, *args: Any, **options: Any) -> Any:
        """Return what one call returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._call, method, args, options)

    async def apply(self, ask: Callable[..., _T], *args: Any) -> _T:
        """Return what a function of the store returns; it counts its calls itself."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: ask(self._store.get(), *args))

    async def open(self) -> None:
        """Open the store if it is not open."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._store.get)

    async def close(self) -> None:
        """Close the store, and its threads as they finish."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._store.close)

    def _call(self, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        store = self._store.get()
        self.counts[method] += 1
        return getattr(store, method)(*args, **options)


async def together(tasks: Sequence[asyncio.Future[Any]]) -> Sequence[Any]:
    """Return the results of all; when one fails, or nobody waits any more, stop the others."""
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
