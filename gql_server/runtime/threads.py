"""Thread pools for blocking calls."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import Lock
from typing import NamedTuple, TypeVar
from weakref import WeakSet

from gql_server.runtime.cancellable_http import CancellableRequest, current_request

_T = TypeVar("_T")


class Usage(NamedTuple):
    """The number of calls that run, and the number that wait for a thread."""

    busy: int
    waiting: int


_pools: WeakSet["Threads"] = WeakSet()


class Threads:
    """Runs functions in up to `max_threads` threads; further calls wait in a queue.

    A function runs in a copy of the caller's context: a store may need the caller's credentials.
    """

    def __init__(self, max_threads: int, name: str) -> None:
        self.name = name
        self._executor = ThreadPoolExecutor(max_threads, thread_name_prefix=name)
        self._lock = Lock()
        self._submitted = self._busy = 0
        _pools.add(self)

    @property
    def usage(self) -> Usage:
        """Return the number of running and of queued calls."""
        with self._lock:
            return Usage(self._busy, self._submitted - self._busy)

    def submit(self, function: Callable[..., _T], *args: object) -> Future[_T]:
        """Queue a function that runs to its end even if no caller waits for the result."""
        return self._submit(copy_context(), function, *args)

    async def run(self, function: Callable[..., _T], *args: object) -> _T:
        """Return the function's result. Cancellation removes it from the queue but does not interrupt it."""
        return await asyncio.wrap_future(self.submit(function, *args))

    async def run_cancellable(self, function: Callable[..., _T], *args: object) -> _T:
        """Return the result of a function without side effects.

        Cancellation removes it from the queue, or ends the HTTP request that it waits for.
        """
        request = CancellableRequest()
        context = copy_context()
        context.run(current_request.set, request)
        try:
            return await asyncio.wrap_future(self._submit(context, function, *args))
        except asyncio.CancelledError:
            request.cancel()
            raise

    def close(self, *, run_queued: bool = False) -> None:
        """Release the threads as their calls end, without waiting; drop queued calls unless `run_queued`."""
        self._executor.shutdown(wait=False, cancel_futures=not run_queued)

    def _submit(self, context: Context, function: Callable[..., _T], *args: object) -> Future[_T]:
        with self._lock:
            self._submitted += 1
        future = self._executor.submit(context.run, self._run, function, *args)
        future.add_done_callback(self._done)
        return future

    def _run(self, function: Callable[..., _T], *args: object) -> _T:
        with self._lock:
            self._busy += 1
        try:
            return function(*args)
        finally:
            with self._lock:
                self._busy -= 1

    def _done(self, _: Future[_T]) -> None:
        with self._lock:
            self._submitted -= 1


def usage_by_name() -> Mapping[str, Usage]:
    """Return the usage of all pools of this process; pools with one name are added up."""
    usages: dict[str, Usage] = {}
    for pool in list(_pools):
        busy, waiting = pool.usage
        before = usages.get(pool.name, Usage(0, 0))
        usages[pool.name] = Usage(before.busy + busy, before.waiting + waiting)
    return usages
