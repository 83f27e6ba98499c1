"""Single flight: concurrent requests for a key share one call."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

from gql_server.runtime.operation_budget import BudgetExceeded

_T = TypeVar("_T")

_MAX_COMPLETED = 1000
"""More keys than complete during one cache read."""


class _Call:
    """A call in flight for one or more keys, and the number of callers that wait for it."""

    __slots__ = ("keys", "task", "waiting")

    def __init__(self, keys: Collection[str], call: Coroutine[Any, Any, Sequence[Any]]) -> None:
        self.keys = frozenset(keys)
        self.waiting = 0
        # A task, so that the call goes on for the other callers when the first is cancelled.
        self.task = asyncio.ensure_future(call)


class SingleFlight(Generic[_T]):
    """The calls in flight by key, up to `max_keys` keys; calls beyond that are not shared.

    An error reaches all callers that wait for the call. The call is cancelled when its last caller is.
    `key_errors` are the types of errors that concern single keys, of which a shared call may have been for
    another caller's key. After such an error a caller's own keys are loaded again, in a call that only
    callers with exactly these keys share.
    """

    def __init__(self, *, max_keys: int = 10_000, key_errors: tuple[type[Exception], ...] = ()) -> None:
        self._max_keys = max_keys
        self._key_errors = key_errors
        self._in_flight: dict[str, tuple[_Call, int]] = {}
        self._completed: LRUCache[str, None] = LRUCache(_MAX_COMPLETED)

    def __len__(self) -> int:
        return len(self._in_flight)

    def completed_recently(self, key: str) -> bool:
        """Return whether a call for this key has succeeded lately.

        After a cache miss, read the cache again if so: the call may have written the key after the read.
        """
        return key in self._completed

    async def load(
        self, keys: Sequence[str], call: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[_T]]]
    ) -> list[_T]:
        """Return the values of distinct keys.

        `call` is called once, with the indexes of the keys that are not in flight.
        """
        try:
            return await self._load(keys, call)
        except _ForeignError as foreign:
            # A call takes of the budget of the operation that started it.
            if not isinstance(foreign.error, (*self._key_errors, BudgetExceeded)):
                raise foreign.error from None
        # The key of the whole set: an error now concerns the caller's own keys.
        (values,) = await self._load(["\n".join(keys)], lambda _: _call_for_all(call, len(keys)))
        return list(values)

    async def _load(
        self, keys: Sequence[str], call: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[Any]]]
    ) -> list[Any]:
        missing = [index for index, key in enumerate(keys) if key not in self._in_flight]
        if len(self._in_flight) + len(missing) > self._max_keys:
            return list(await call(range(len(keys))))
        if missing:
            self._start([keys[index] for index in missing], call(missing))
        shares = [self._in_flight[key] for key in keys]
        calls = dict.fromkeys(shared for shared, _ in shares)
        await _wait(calls, self._remove)
        for shared in calls:
            if error := _error(shared):
                raise error if shared.keys <= set(keys) else _ForeignError(error)
        return [shared.task.result()[index] for shared, index in shares]

    def _start(self, keys: Sequence[str], coroutine: Coroutine[Any, Any, Sequence[Any]]) -> None:
        call = _Call(keys, coroutine)
        self._in_flight |= {key: (call, index) for index, key in enumerate(keys)}

        def done(task: "asyncio.Task[Sequence[Any]]") -> None:
            self._remove(call)
            # Retrieves the exception as well, or asyncio logs one that no caller waited for.
            if not task.cancelled() and not task.exception():
                self._completed.update(dict.fromkeys(call.keys))

        call.task.add_done_callback(done)

    def _remove(self, call: _Call) -> None:
        for key in call.keys:
            if self._in_flight.get(key, (None,))[0] is call:
                del self._in_flight[key]


class _ForeignError(Exception):
    """A call failed that was for other callers' keys as well."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _error(call: _Call) -> BaseException | None:
    if call.task.cancelled():
        # The waiting callers are not cancelled, as a CancelledError here would mean.
        return RuntimeError("A shared call cancelled itself.")
    return call.task.exception()


async def _call_for_all(
    call: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[_T]]], count: int
) -> list[Sequence[_T]]:
    return [await call(range(count))]


async def _wait(calls: Collection[_Call], remove: Callable[[_Call], None]) -> None:
    for call in calls:
        call.waiting += 1
    try:
        for call in calls:
            await _ended(call.task)
    finally:
        for call in calls:
            call.waiting -= 1
            if not call.waiting and not call.task.done():
                # New callers must not join it, though it takes a moment to stop.
                remove(call)
                call.task.cancel()


async def _ended(task: "asyncio.Task[Any]") -> None:
    """Return when the task has ended. Unlike `await task`, cancelling the caller does not cancel the task.

    It takes a third of the time of asyncio.wait.
    """
    if task.done():
        return
    ended = asyncio.get_running_loop().create_future()

    def end(_: object) -> None:
        if not ended.done():
            ended.set_result(None)

    task.add_done_callback(end)
    try:
        await ended
    finally:
        task.remove_done_callback(end)
