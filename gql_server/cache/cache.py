"""The cache as the two layers use it: it never fails, and an entry in it is never older than it may be."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from struct import Struct
from typing import NamedTuple, TypeVar

from aiocache.base import BaseCache

from gql_server.cache.invalidation import MARK_BYTES, MARK_SECONDS, NAMES, new_mark
from gql_server.observability.cache_stats import CacheStats
from gql_server.runtime.circuit_breaker import CircuitBreaker

_T = TypeVar("_T")
_HEADER = Struct(f"<{MARK_BYTES}sdd")
_LEAST_SECONDS = 0.01
"""Redis counts in milliseconds; what lives shorter than ten of them is not worth keeping."""


class Entry(NamedTuple):
    """What was kept: its bytes, the seconds since it was written and those that it has left."""

    body: memoryview
    age: float
    left: float


class CacheRead(NamedTuple):
    """What the cache had, in the order of the keys, and the marks that what is written now will carry.

    `era` counts what was forgotten here before the reading. Without marks nothing is written.
    """

    entries: Sequence[Entry | None]
    marks: dict[int, bytes]
    era: int

    def flight(self, key: str, slot: int) -> str:
        """Return a name for reading this key's answer now; another after something was forgotten."""
        return f"{key}@{self.era}:{self.marks.get(slot, b'').hex()}"


class Cache:
    """Bytes under keys over an aiocache backend; a backend that fails or is slow is an empty cache.

    `most_entry_bytes` bounds one entry. The backend keeps its own bound on all of them.
    """

    def __init__(
        self, backend: BaseCache, *, most_entry_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.counts = CacheStats()
        self.circuit = CircuitBreaker()
        self.backend = backend
        self._most_entry_bytes = most_entry_bytes
        self._clock = clock
        self._era = 0
        self._owed: dict[int, int] = {}
        self._marking = asyncio.Lock()

    async def read(self, keys: Sequence[str], slots: Sequence[int], *, fresh: bool = False) -> CacheRead:
        """Read the entries, each with its slot; `fresh` reads none, and only prepares for writing."""
        wanted = [] if fresh else keys
        distinct = list(dict.fromkeys(slots))
        if self._owed:
            await self._settle()
        era = self._era
        names = [NAMES[slot] for slot in distinct]
        found = None if self._owed else await self._try(lambda: self.backend.multi_get([*names, *wanted]))
        # aiocache returns an empty list where AIOCACHE_DISABLE is set.
        if found is None or len(found) != len(names) + len(wanted):
            return CacheRead([None] * len(keys), {}, era)
        marks = await self._whole(dict(zip(distinct, found, strict=False)))
        now = self._clock()
        entries = [
            None if value is None else _open(value, marks.get(slot), now)
            for value, slot in zip(found[len(names) :], slots, strict=False)
        ]
        return CacheRead(entries or [None] * len(keys), marks, era)

    async def write(
        self, reading: CacheRead, entries: Iterable[tuple[str, int, bytes]], lifetime: float
    ) -> None:
        """Write entries, each with its key and slot, that were read from the store after this reading."""
        pairs = [
            (key, self._whole_entry(reading, slot, body, lifetime))
            for key, slot, body in entries
            if self._may_be_kept(reading, slot, body, lifetime)
        ]
        if pairs:
            await self._try(lambda: self.backend.multi_set(pairs, ttl=lifetime))

    async def keep(
        self, reading: CacheRead, key: str, slot: int, body: bytes, lifetime: float
    ) -> bytes | memoryview:
        """Write one entry as `write` does, and return its body as it is kept: there is one copy of it."""
        if not self._may_be_kept(reading, slot, body, lifetime):
            return body
        entry = self._whole_entry(reading, slot, body, lifetime)
        await self._try(lambda: self.backend.multi_set([(key, entry)], ttl=lifetime))
        return memoryview(entry)[_HEADER.size :]

    def _may_be_kept(self, reading: CacheRead, slot: int, body: bytes, lifetime: float) -> bool:
        small = len(body) <= self._most_entry_bytes
        return lifetime >= _LEAST_SECONDS and slot in reading.marks and small

    def _whole_entry(self, reading: CacheRead, slot: int, body: bytes, lifetime: float) -> bytes:
        return _HEADER.pack(reading.marks[slot], self._clock(), lifetime) + body

    async def forget(self, slots: Collection[int]) -> None:
        """End what is kept in these slots; where the cache does not answer now, before it is read again."""
        self._era += 1
        self._owed |= dict.fromkeys(slots, self._era)
        await self._settle()

    async def close(self) -> None:
        """Let go of connections."""
        await self.backend.close()

    async def _settle(self) -> None:
        due = dict(self._owed)
        if await self._mark(due) is not None:
            # What was owed anew meanwhile stays owed.
            self._owed = {slot: era for slot, era in self._owed.items() if due.get(slot) != era}

    async def _whole(self, marks: dict[int, bytes | None]) -> dict[int, bytes]:
        """Return the marks, new ones where the cache had none; none where it does not take them."""
        known = _known(marks)
        if len(known) == len(marks):
            return known
        # One at a time, or each of many requests at once makes marks of its own and shares no reading.
        async with self._marking:
            lost = [slot for slot in marks if slot not in known]
            found = await self._try(lambda: self.backend.multi_get([NAMES[slot] for slot in lost]))
            known |= _known(dict(zip(lost, found or (), strict=False)))
            lost = [slot for slot in lost if slot not in known]
            return known | (await self._mark(lost) or {}) if lost else known

    async def _mark(self, slots: Iterable[int]) -> dict[int, bytes] | None:
        marks = {slot: new_mark() for slot in slots}
        pairs = [(NAMES[slot], mark) for slot, mark in marks.items()]
        done = await self._try(lambda: self.backend.multi_set(pairs, ttl=MARK_SECONDS))
        return None if done is None else marks

    async def _try(self, work: Callable[[], Awaitable[_T]]) -> _T | None:
        if not self.circuit.allows_call():
            return None
        try:
            result = await work()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a cache, the store has the answer
            self.circuit.record_failure(error)
            return None
        self.circuit.record_success()
        return result


def _known(marks: Mapping[int, bytes | None]) -> dict[int, bytes]:
    return {slot: mark for slot, mark in marks.items() if mark is not None and len(mark) == MARK_BYTES}


def _open(value: bytes, mark: bytes | None, now: float) -> Entry | None:
    if len(value) < _HEADER.size:
        return None
    own, written, lifetime = _HEADER.unpack_from(value)
    # Another replica's clock may be behind or ahead: an entry is never younger than now.
    age = max(0.0, now - written)
    if own != mark or age >= lifetime:
        return None
    return Entry(memoryview(value)[_HEADER.size :], age, lifetime - age)
