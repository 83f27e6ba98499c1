"""Threads for calls that block: bounded, and each call in the context of whoever asks."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import Lock
from typing import NamedTuple, TypeVar
from weakref import WeakSet

from gql_server.runtime.cancellable_http import CancellableRequest, reading

_T = TypeVar("_T")


class Usage(NamedTuple):
    """How many calls run, and how many wait for a thread."""

    busy: int
    waiting: int


_all: WeakSet["Threads"] = WeakSet()


class Threads:
    """Runs functions in at most `most` threads; others wait for their turn.

    The store may have to know who asks, so what is set around a call is set in its thread.
    """

    def __init__(self, most: int, name: str) -> None:
        self.name = name
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._lock = Lock()
        self._taken = self._busy = 0
        _all.add(self)

    @property
    def usage(self) -> Usage:
        """Return how much runs in the threads, and how much waits for one."""
        with self._lock:
            return Usage(self._busy, self._taken - self._busy)

    def submit(self, work: Callable[..., _T], *args: object) -> Future[_T]:
        """Run a function to its end, be it that nobody waits for it any more."""
        return self._submit(copy_context(), work, *args)

    async def run(self, work: Callable[..., _T], *args: object) -> _T:
        """Return what the function returns; one that begins goes on to its end."""
        return await asyncio.wrap_future(self.submit(work, *args))

    async def read(self, work: Callable[..., _T], *args: object) -> _T:
        """Return what a function returns that changes nothing.

        Once nobody waits for it, it is taken off the queue, or the HTTP request ends that it is waiting for.
        """
        own = CancellableRequest()
        context = copy_context()
        context.run(reading.set, own)
        try:
            return await asyncio.wrap_future(self._submit(context, work, *args))
        except asyncio.CancelledError:
            own.stop()
            raise

    def close(self, *, finish: bool = False) -> None:
        """Let go of the threads as they finish; what waits for its turn gets it with `finish` alone."""
        self._pool.shutdown(wait=False, cancel_futures=not finish)

    def _submit(self, context: Context, work: Callable[..., _T], *args: object) -> Future[_T]:
        with self._lock:
            self._taken += 1
        future = self._pool.submit(context.run, self._run, work, *args)
        future.add_done_callback(self._let_go)
        return future

    def _run(self, work: Callable[..., _T], *args: object) -> _T:
        with self._lock:
            self._busy += 1
        try:
            return work(*args)
        finally:
            with self._lock:
                self._busy -= 1

    def _let_go(self, _: Future[_T]) -> None:
        with self._lock:
            self._taken -= 1


def usages() -> Mapping[str, Usage]:
    """Return the usage of all threads there are, by their names."""
    found: dict[str, Usage] = {}
    for threads in list(_all):
        busy, waiting = threads.usage
        before = found.get(threads.name, Usage(0, 0))
        found[threads.name] = Usage(before.busy + busy, before.waiting + waiting)
    return found
