"""Calls of MLflow's blocking store from async code, in a bounded number of threads."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, TypeVar

from gql_server.runtime.operation_budget import current_budget
from gql_server.runtime.retry import call_with_retries
from gql_server.runtime.threads import Threads
from gql_server.runtime.upstream_response import checked_responses
from gql_server.stores.mlflow.lazy_store import LazyStore

_T = TypeVar("_T")
_READ_PREFIXES = ("get_", "search_", "list_")
"""Prefixes of the methods that change nothing."""


class StoreCalls:
    """Runs the methods of a store in at most `threads` threads.

    A cancelled call is removed from the queue; a running call that reads over HTTP ends immediately.
    `counts` has the number of calls of each method, for tests and measurements. A call that fails
    temporarily is repeated up to `retries` times. A response of more than `max_bytes` over HTTP is an error.
    """

    def __init__(self, store: LazyStore, threads: int, *, max_bytes: int, retries: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self._counts_lock = Lock()
        self._store = store
        self._retries = retries
        self._max_bytes = max_bytes
        self._threads = Threads(threads, "store", shared=True)

    async def call(self, method: str, *args: Any, **options: Any) -> Any:
        """Call one method of the store and return its result."""
        return await self._run(
            lambda: self._call_method(method, args, options), reads=method.startswith(_READ_PREFIXES)
        )

    async def run(self, function: Callable[..., _T], *args: Any, reads: bool = False) -> _T:
        """Call a function with the store and return its result; the function counts its own calls.

        `reads` states that it changes nothing, so that it may be repeated or cancelled.
        """
        return await self._run(lambda: function(self._store.get(), *args), reads=reads)

    def count_call(self, method: str) -> None:
        """Count a call; this is thread-safe."""
        with self._counts_lock:
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
        budget = current_budget.get()
        if budget is not None and (error := budget.error) is not None:
            raise error
        with checked_responses(self._max_bytes, reads=reads):
            return await call_with_retries(lambda: run(work), self._retries, idempotent=reads)

    def _call_method(self, method: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
        store = self._store.get()
        self.count_call(method)
        return getattr(store, method)(*args, **options)
