"""Entries: sets of things, each kept on its own, so that sets that overlap share what was read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from gql_server.cache.cache import Cache, CacheRead
from gql_server.cache.cache_control import CacheControl
from gql_server.runtime.cooperative import CooperativeLoop
from gql_server.runtime.single_flight import SingleFlight
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class RecordQuery(Generic[_T]):
    """What is asked about distinct things: one key, slot and answer for each of them.

    `read` asks the store about the things at some places. `load` turns a thing's entry into its answer, or
    into None where it does not serve; `dump` turns an answer into an entry, or into None where it cannot be
    kept; `lifetime` says for how long. `fuller` may name a second entry for each thing, which `narrow` turns
    into the answer: all params of a run, where some are asked for.
    """

    keys: Sequence[str]
    slots: Sequence[int]
    read: Callable[[Sequence[int]], Awaitable[Sequence[_T]]]
    load: Callable[[int, memoryview], _T | None]
    dump: Callable[[_T], bytes | None]
    lifetime: Callable[[int, _T], float]
    fuller: Sequence[str] = ()
    narrow: Callable[[_T], _T] = lambda answer: answer
    flight: str = ""
    """What else tells readings apart that are under one key, such as the columns."""


class RecordCache:
    """The records layer: asks the cache, then the store for what is missing, and keeps that."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._flights: SingleFlight[Any] = SingleFlight(key_errors=(BadUserInput, LimitExceeded, NotFound))

    async def ask(self, question: RecordQuery[_T], use: CacheControl) -> tuple[list[_T], float]:
        """Return the answer for each thing, and the seconds for which all of them hold."""
        keys, slots = [*question.keys, *question.fuller], [*question.slots]
        if question.fuller:
            slots += question.slots
        reading = await self._cache.read(keys, slots, fresh=use is not CacheControl.ANY)
        kept, left = await _kept(question, reading)
        missing = [place for place, answer in enumerate(kept) if answer is None]
        counts = self._cache.counts.records
        counts.misses += len(missing)
        counts.hits += len(kept) - len(missing)
        found = await self._read(question, reading, missing, use) if missing else ()
        left = min((left, *map(question.lifetime, missing, found)))
        others = iter(found)
        return [next(others) if answer is None else answer for answer in kept], left

    async def _read(
        self, question: RecordQuery[_T], reading: CacheRead, missing: Sequence[int], use: CacheControl
    ) -> Sequence[_T]:
        async def fly(places: Sequence[int]) -> Sequence[_T]:
            some = [missing[place] for place in places]
            answers = await question.read(some)
            if use is not CacheControl.UNKEPT:
                await self._keep(question, reading, some, answers)
            return answers

        if use is not CacheControl.ANY:
            # A reading that began before this request may be older than what it asks for.
            return await fly(range(len(missing)))
        names = [
            reading.flight(question.keys[place] + question.flight, question.slots[place]) for place in missing
        ]
        return await self._flights.load(names, fly)

    async def _keep(
        self, question: RecordQuery[_T], reading: CacheRead, places: Sequence[int], answers: Sequence[_T]
    ) -> None:
        if not reading.marks:
            return
        turns = CooperativeLoop()
        written: dict[float, list[tuple[str, int, bytes]]] = {}
        for place, answer in zip(places, answers, strict=True):
            lifetime = question.lifetime(place, answer)
            body = question.dump(answer) if lifetime > 0 else None
            if body is not None:
                entry = (question.keys[place], question.slots[place], body)
                written.setdefault(lifetime, []).append(entry)
            await turns.checkpoint()
        for lifetime, entries in written.items():
            await self._cache.write(reading, entries, lifetime)


async def _kept(question: RecordQuery[_T], reading: CacheRead) -> tuple[list[_T | None], float]:
    turns = CooperativeLoop()
    answers: list[_T | None] = []
    left = inf
    for place in range(len(question.keys)):
        found = _answer(question, reading, place)
        answers.append(found[0])
        left = min(left, found[1])
        await turns.checkpoint()
    return answers, left


def _answer(question: RecordQuery[_T], reading: CacheRead, place: int) -> tuple[_T | None, float]:
    entry = reading.entries[place]
    if entry is not None:
        answer = question.load(place, entry.body)
        if answer is not None:
            return answer, entry.left
    entry = reading.entries[len(question.keys) + place] if question.fuller else None
    if entry is not None:
        answer = question.load(place, entry.body)
        if answer is not None:
            return question.narrow(answer), entry.left
    return None, inf
