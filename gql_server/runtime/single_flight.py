"""Flights: what several ask for at the same time is read once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")

_REMEMBERED = 1000
"""More than end while a cache is being looked at."""


class _Call:
    """One reading under way, for several keys at once, and how many wait for it."""

    __slots__ = ("keys", "task", "waiting")

    def __init__(self, keys: Collection[str], reading: Coroutine[Any, Any, Sequence[Any]]) -> None:
        self.keys = frozenset(keys)
        self.waiting = 0
        # A task of its own: who asked first may leave, and the others still get their answer.
        self.task = asyncio.ensure_future(reading)


class SingleFlight(Generic[_T]):
    """Readings under way, by key; at most `most` keys, and what is asked beyond that is read unshared.

    A reading that fails fails for all who wait for it. It goes on while anybody waits and is cancelled when
    nobody does. A failure in `personal` may be about a key that only another asked for: then what one asked
    for oneself is read again, once for all who ask for the same.
    """

    def __init__(self, *, most: int = 10_000, personal: tuple[type[Exception], ...] = ()) -> None:
        self._most = most
        self._personal = personal
        self._flying: dict[str, tuple[_Call, int]] = {}
        self._landed: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flying)

    def landed(self, key: str) -> bool:
        """Say whether a reading of this key ended well lately.

        Who did not find its answer a moment ago looks again: it may have been written in between.
        """
        return key in self._landed

    async def share(
        self, keys: Sequence[str], read: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[_T]]]
    ) -> list[_T]:
        """Return what is under each of these distinct keys.

        `read` is called once, with the places of the keys that nobody is reading yet.
        """
        try:
            return await self._fly(keys, read)
        except _Foreign as failure:
            if not isinstance(failure.error, self._personal):
                raise failure.error from None
        # Shared only by those who ask for the very same, so that what fails now is one's own.
        (answers,) = await self._fly(["\n".join(keys)], lambda _: _together(read, len(keys)))
        return list(answers)

    async def _fly(
        self, keys: Sequence[str], read: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[Any]]]
    ) -> list[Any]:
        places = [place for place, key in enumerate(keys) if key not in self._flying]
        if len(self._flying) + len(places) > self._most:
            return list(await read(range(len(keys))))
        if places:
            self._start([keys[place] for place in places], read(places))
        boarded = [self._flying[key] for key in keys]
        flights = dict.fromkeys(flight for flight, _ in boarded)
        await _wait(flights, self._land)
        for flight in flights:
            if error := _failure(flight):
                raise error if flight.keys <= set(keys) else _Foreign(error)
        return [flight.task.result()[place] for flight, place in boarded]

    def _start(self, keys: Sequence[str], reading: Coroutine[Any, Any, Sequence[Any]]) -> None:
        flight = _Call(keys, reading)
        self._flying |= {key: (flight, place) for place, key in enumerate(keys)}

        def ended(task: "asyncio.Task[Sequence[Any]]") -> None:
            self._land(flight)
            # Looked at, or asyncio complains of a failure that nobody waited for.
            if not task.cancelled() and not task.exception():
                self._remember(flight.keys)

        flight.task.add_done_callback(ended)

    def _remember(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._landed[key] = None
            self._landed.move_to_end(key)
        while len(self._landed) > _REMEMBERED:
            self._landed.popitem(last=False)

    def _land(self, flight: _Call) -> None:
        for key in flight.keys:
            if self._flying.get(key, (None,))[0] is flight:
                del self._flying[key]


class _Foreign(Exception):
    """A reading failed that was for other keys too."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def _failure(flight: _Call) -> BaseException | None:
    if flight.task.cancelled():
        # Nobody who waits has cancelled it, and a CancelledError here would say that they had.
        return RuntimeError("A shared reading was cancelled from within.")
    return flight.task.exception()


async def _together(
    read: Callable[[Sequence[int]], Coroutine[Any, Any, Sequence[_T]]], count: int
) -> list[Sequence[_T]]:
    return [await read(range(count))]


async def _wait(flights: Collection[_Call], land: Callable[[_Call], None]) -> None:
    for flight in flights:
        flight.waiting += 1
    try:
        # Waiting for a task, unlike awaiting it, leaves it alone when who waits is cancelled.
        if flights:
            await asyncio.wait([flight.task for flight in flights])
    finally:
        for flight in flights:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                # Nobody may join it any more, though it takes a moment to stop.
                land(flight)
                flight.task.cancel()
