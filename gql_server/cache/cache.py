"""Reads and writes of cache entries with invalidation marks, over a backend that may fail."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from struct import Struct
from typing import NamedTuple, TypeVar

from aiocache.base import BaseCache

from gql_server.cache.invalidation import MARK_BYTES, MARK_KEYS, MARK_TTL_SECONDS, new_mark
from gql_server.observability.cache_stats import CacheStats
from gql_server.runtime.circuit_breaker import CircuitBreaker

_T = TypeVar("_T")
_HEADER = Struct(f"<{MARK_BYTES}sdd")
"""An entry's mark, the time from which its age counts, and the age at which it expires."""

_MIN_TTL_SECONDS = 0.01
"""Redis counts in milliseconds; an entry with a shorter TTL is not worth storing."""


class Entry(NamedTuple):
    """A valid entry: its body, the seconds since the store was read for it, and those until it expires."""

    body: memoryview
    age: float
    remaining: float


class CacheRead(NamedTuple):
    """The entries in the order of the keys, and the marks for entries that are written after this read.

    `generation` counts this process's invalidations before the read. Nothing is written for a slot without a
    mark. `time` is the time of the read, from which the age of entries that are written after it counts.
    """

    entries: Sequence[Entry | None]
    marks: dict[int, bytes]
    generation: int
    time: float

    def flight_key(self, key: str, slot: int) -> str:
        """Return the single-flight key for loading a cache key; it changes with each invalidation."""
        return f"{key}@{self.generation}:{self.marks.get(slot, b'').hex()}"


class Cache:
    """Entries over an aiocache backend. A backend that fails or times out acts as an empty cache.

    `max_entry_bytes` limits one entry; the backend limits the total. `invalidation` describes slots and
    marks.
    """

    def __init__(
        self, backend: BaseCache, *, max_entry_bytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.stats = CacheStats()
        self.circuit_breaker = CircuitBreaker()
        self.backend = backend
        self._max_entry_bytes = max_entry_bytes
        self._clock = clock
        self._generation = 0
        # Slots that were invalidated but whose new mark is not in the cache yet, with their generation.
        self._pending: dict[int, int] = {}
        self._mark_lock = asyncio.Lock()

    async def read(self, keys: Sequence[str], slots: Sequence[int], *, marks_only: bool = False) -> CacheRead:
        """Read the entries of keys, each with its slot; with `marks_only` only prepare a write."""
        entry_keys = [] if marks_only else keys
        distinct = list(dict.fromkeys(slots))
        if self._pending:
            await self._write_pending_marks()
        generation = self._generation
        mark_keys = [MARK_KEYS[slot] for slot in distinct]
        values = (
            None
            if self._pending
            else await self._try(lambda: self.backend.multi_get([*mark_keys, *entry_keys]))
        )
        # aiocache returns an empty list if AIOCACHE_DISABLE is set.
        if values is None or len(values) != len(mark_keys) + len(entry_keys):
            return CacheRead([None] * len(keys), {}, generation, self._clock())
        marks = await self._complete(dict(zip(distinct, values, strict=False)))
        now = self._clock()
        entries = [
            None if value is None else _parse(value, marks.get(slot), now)
            for value, slot in zip(values[len(mark_keys) :], slots, strict=False)
        ]
        return CacheRead(entries or [None] * len(keys), marks, generation, now)

    async def write(self, read: CacheRead, entries: Iterable[tuple[str, int, bytes]], ttl: float) -> None:
        """Write entries (key, slot, body) whose bodies were read from the store after `read`.

        They expire after `ttl` seconds from now.
        """
        pairs = [
            (key, self._with_header(read, slot, body, ttl))
            for key, slot, body in entries
            if self._is_storable(read, slot, body, ttl)
        ]
        if pairs:
            await self._try(lambda: self.backend.multi_set(pairs, ttl=ttl))

    async def write_one(
        self, read: CacheRead, key: str, slot: int, body: bytes, ttl: float, age: float = 0.0
    ) -> bytes | memoryview:
        """Write one entry as `write` does; return a view of the stored bytes, so that there is no copy.

        `age` is the age that the body's data had at the read, in seconds.
        """
        if not self._is_storable(read, slot, body, ttl):
            return body
        entry = self._with_header(read, slot, body, ttl, age)
        await self._try(lambda: self.backend.multi_set([(key, entry)], ttl=ttl))
        return memoryview(entry)[_HEADER.size :]

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the entries of keys, if they exist."""
        if keys:
            await self._try(lambda: self.backend.multi_delete(keys))

    async def invalidate(self, slots: Collection[int]) -> None:
        """Invalidate the entries of slots. If the backend fails, this happens before the next read."""
        self._generation += 1
        self._pending |= dict.fromkeys(slots, self._generation)
        await self._write_pending_marks()

    async def close(self) -> None:
        """Close the backend's connections."""
        await self.backend.close()

    def _is_storable(self, read: CacheRead, slot: int, body: bytes, ttl: float) -> bool:
        return ttl >= _MIN_TTL_SECONDS and slot in read.marks and len(body) <= self._max_entry_bytes

    def _with_header(self, read: CacheRead, slot: int, body: bytes, ttl: float, age: float = 0.0) -> bytes:
        start = read.time - age
        return _HEADER.pack(read.marks[slot], start, max(0.0, self._clock() - start) + ttl) + body

    async def _write_pending_marks(self) -> None:
        pending = dict(self._pending)
        if await self._write_marks(pending) is not None:
            # A slot that was invalidated again in the meantime remains pending.
            self._pending = {
                slot: generation
                for slot, generation in self._pending.items()
                if pending.get(slot) != generation
            }

    async def _complete(self, marks: dict[int, bytes | None]) -> dict[int, bytes]:
        """Return the marks with new ones for those missing; leave these out if the backend fails."""
        valid = _valid_marks(marks)
        if len(valid) == len(marks):
            return valid
        # One request at a time; otherwise each would set different marks and none could share a flight.
        async with self._mark_lock:
            missing = [slot for slot in marks if slot not in valid]
            values = await self._try(lambda: self.backend.multi_get([MARK_KEYS[slot] for slot in missing]))
            valid |= _valid_marks(dict(zip(missing, values or (), strict=False)))
            missing = [slot for slot in missing if slot not in valid]
            return valid | (await self._write_marks(missing) or {}) if missing else valid

    async def _write_marks(self, slots: Iterable[int]) -> dict[int, bytes] | None:
        marks = {slot: new_mark() for slot in slots}
        pairs = [(MARK_KEYS[slot], mark) for slot, mark in marks.items()]
        written = await self._try(lambda: self.backend.multi_set(pairs, ttl=MARK_TTL_SECONDS))
        return None if written is None else marks

    async def _try(self, call: Callable[[], Awaitable[_T]]) -> _T | None:
        if not self.circuit_breaker.allows_call():
            return None
        try:
            result = await call()
        except Exception as error:  # noqa: BLE001 - after any error of the cache, the store has the data
            self.circuit_breaker.record_failure(error)
            return None
        self.circuit_breaker.record_success()
        return result


def _valid_marks(marks: Mapping[int, bytes | None]) -> dict[int, bytes]:
    return {slot: mark for slot, mark in marks.items() if mark is not None and len(mark) == MARK_BYTES}


def _parse(value: bytes, mark: bytes | None, now: float) -> Entry | None:
    if len(value) < _HEADER.size:
        return None
    entry_mark, start, max_age = _HEADER.unpack_from(value)
    # Clocks of replicas differ: an entry from the future has the age 0.
    age = max(0.0, now - start)
    if entry_mark != mark or age >= max_age:
        return None
    return Entry(memoryview(value)[_HEADER.size :], age, max_age - age)
