"""Thread pools for blocking calls."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from threading import Lock
from typing import Final, NamedTuple, TypeVar
from weakref import WeakSet

from gql_server.runtime.cancellable_http import CancellableRequest, current_request
from gql_server.runtime.fair_semaphore import FairSemaphore
from gql_server.runtime.operation_budget import current_budget, current_meter

_T = TypeVar("_T")

_OTHERS_SHARE: Final = 4
"""One of so many threads is for others than the client with the most calls."""


class Usage(NamedTuple):
    """The number of calls that run, and the number that wait for a thread."""

    busy: int
    waiting: int


_pools: WeakSet["Threads"] = WeakSet()


class Threads:
    """Runs functions in up to `max_threads` threads; further calls wait in a queue.

    A function runs in a copy of the caller's context: a store may need the caller's credentials. Its
    processor time counts for the operation of this context. If they are `shared`, one client has three
    quarters of the threads at most, and clients that wait take turns.
    """

    def __init__(self, max_threads: int, name: str, *, shared: bool = False) -> None:
        self.name = name
        share = max(1, max_threads - max_threads // _OTHERS_SHARE)
        self._places = FairSemaphore(max_threads, share) if shared else None
        self._executor = ThreadPoolExecutor(max_threads, thread_name_prefix=name)
        self._lock = Lock()
        self._submitted = self._busy = 0
        _pools.add(self)

    @property
    def usage(self) -> Usage:
        """Return the number of running and of queued calls."""
        with self._lock:
            waiting = self._places.waiting if self._places else 0
            return Usage(self._busy, self._submitted - self._busy + waiting)

    def submit(self, function: Callable[..., _T], *args: object) -> Future[_T]:
        """Queue a function that runs to its end even if no caller waits for the result."""
        return self._submit(copy_context(), function, *args)

    async def run(self, function: Callable[..., _T], *args: object) -> _T:
        """Return the function's result. Cancellation removes it from the queue but does not interrupt it."""
        async with self._place():
            return await asyncio.wrap_future(self.submit(function, *args))

    async def run_cancellable(self, function: Callable[..., _T], *args: object) -> _T:
        """Return the result of a function without side effects.

        Cancellation removes it from the queue, or ends the HTTP request that it waits for.
        """
        request = CancellableRequest()
        context = copy_context()
        context.run(current_request.set, request)
        async with self._place():
            try:
                return await asyncio.wrap_future(self._submit(context, function, *args))
            except asyncio.CancelledError:
                request.cancel()
                raise

    def close(self, *, run_queued: bool = False) -> None:
        """Release the threads as their calls end, without waiting; drop queued calls unless `run_queued`."""
        self._executor.shutdown(wait=False, cancel_futures=not run_queued)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait until the client of this context may use a thread, if they are shared out."""
        permit = None if self._places is None else await self._places.acquire()
        try:
            yield
        finally:
            if permit is not None:
                permit.release()

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
            return _metered(function, *args)
        finally:
            with self._lock:
                self._busy -= 1

    def _done(self, _: Future[_T]) -> None:
        with self._lock:
            self._submitted -= 1


def _metered(function: Callable[..., _T], *args: object) -> _T:
    budget = current_budget.get()
    if budget is None:
        return function(*args)
    meter = budget.meter()
    current_meter.set(meter)
    try:
        return function(*args)
    finally:
        meter.note()


def usage_by_name() -> Mapping[str, Usage]:
    """Return the usage of all pools of this process; pools with one name are added up."""
    usages: dict[str, Usage] = {}
    for pool in list(_pools):
        busy, waiting = pool.usage
        before = usages.get(pool.name, Usage(0, 0))
        usages[pool.name] = Usage(before.busy + busy, before.waiting + waiting)
    return usages
