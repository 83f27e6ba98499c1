"""The record cache: one entry per record, so that overlapping requests share what was read."""

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
    """A query for distinct records, with one cache key, slot and value for each.

    `read` reads the records at some indexes from the store. `load` parses the entry of an index, or returns
    None if it does not serve this query. `dump` serializes a value, or returns None if it cannot be cached.
    `ttl` returns the TTL of a value. `full_keys` are keys of a second entry for each record, from which
    `narrow` makes the value: all params of a run, where the query selects some of them.
    """

    keys: Sequence[str]
    slots: Sequence[int]
    read: Callable[[Sequence[int]], Awaitable[Sequence[_T]]]
    load: Callable[[int, memoryview], _T | None]
    dump: Callable[[_T], bytes | None]
    ttl: Callable[[int, _T], float]
    full_keys: Sequence[str] = ()
    narrow: Callable[[_T], _T] = lambda value: value
    flight_suffix: str = ""
    """Distinguishes concurrent reads of one key that must not be shared, such as by the columns."""


class RecordCache:
    """Reads records from the cache, reads missing records from the store, and caches them."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._single_flight: SingleFlight[Any] = SingleFlight(
            key_errors=(BadUserInput, LimitExceeded, NotFound)
        )

    async def get(self, query: RecordQuery[_T], cache_control: CacheControl) -> tuple[list[_T], float]:
        """Return the value of each record, and the shortest of their remaining TTLs."""
        keys, slots = [*query.keys, *query.full_keys], [*query.slots]
        if query.full_keys:
            slots += query.slots
        read = await self._cache.read(keys, slots, marks_only=cache_control is not CacheControl.DEFAULT)
        cached, ttl = await _load_all(query, read)
        missing = [index for index, value in enumerate(cached) if value is None]
        stats = self._cache.stats.records
        stats.misses += len(missing)
        stats.hits += len(cached) - len(missing)
        values = await self._read_store(query, read, missing, cache_control) if missing else ()
        ttl = min((ttl, *map(query.ttl, missing, values)))
        remaining = iter(values)
        return [next(remaining) if value is None else value for value in cached], ttl

    async def _read_store(
        self, query: RecordQuery[_T], read: CacheRead, missing: Sequence[int], cache_control: CacheControl
    ) -> Sequence[_T]:
        async def call(positions: Sequence[int]) -> Sequence[_T]:
            indexes = [missing[position] for position in positions]
            values = await query.read(indexes)
            if cache_control is not CacheControl.NO_STORE:
                await self._store(query, read, indexes, values)
            return values

        if cache_control is not CacheControl.DEFAULT:
            # A call in flight may have begun before this request, which must not get an older value.
            return await call(range(len(missing)))
        keys = [
            read.flight_key(query.keys[index] + query.flight_suffix, query.slots[index]) for index in missing
        ]
        return await self._single_flight.load(keys, call)

    async def _store(
        self, query: RecordQuery[_T], read: CacheRead, indexes: Sequence[int], values: Sequence[_T]
    ) -> None:
        if not read.marks:
            return
        loop = CooperativeLoop()
        entries_by_ttl: dict[float, list[tuple[str, int, bytes]]] = {}
        for index, value in zip(indexes, values, strict=True):
            ttl = query.ttl(index, value)
            body = query.dump(value) if ttl > 0 else None
            if body is not None:
                entries_by_ttl.setdefault(ttl, []).append((query.keys[index], query.slots[index], body))
            await loop.checkpoint()
        for ttl, entries in entries_by_ttl.items():
            await self._cache.write(read, entries, ttl)


async def _load_all(query: RecordQuery[_T], read: CacheRead) -> tuple[list[_T | None], float]:
    loop = CooperativeLoop()
    values: list[_T | None] = []
    ttl = inf
    for index in range(len(query.keys)):
        loaded = _load(query, read, index)
        values.append(loaded[0])
        ttl = min(ttl, loaded[1])
        await loop.checkpoint()
    return values, ttl


def _load(query: RecordQuery[_T], read: CacheRead, index: int) -> tuple[_T | None, float]:
    entry = read.entries[index]
    if entry is not None:
        value = query.load(index, entry.body)
        if value is not None:
            return value, entry.remaining
    entry = read.entries[len(query.keys) + index] if query.full_keys else None
    if entry is not None:
        value = query.load(index, entry.body)
        if value is not None:
            return query.narrow(value), entry.remaining
    return None, inf
