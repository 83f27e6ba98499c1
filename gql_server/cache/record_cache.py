"""The record cache: one entry per record, so that overlapping requests share what was read."""

from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, NamedTuple, TypeVar

from gql_server.cache.cache import Cache, CacheRead
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.record_origin import STAMP_BYTES, RecordOrigin
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

    Without `groups` the cached records must all have one stamp, that of the operation's other records. With
    `groups`, a group for each record, that applies to each group only: the key of a history has the last
    point of its metric, so that a cached history agrees with a run that was just read.
    """

    keys: Sequence[str]
    slots: Sequence[int]
    read: Callable[[Sequence[int]], Awaitable[Sequence[_T]]]
    load: Callable[[int, memoryview], _T | None]
    dump: Callable[[_T], bytes | None]
    ttl: Callable[[int, _T], float]
    full_keys: Sequence[str] = ()
    narrow: Callable[[_T], _T] = lambda value: value
    groups: Sequence[Hashable] = ()
    flight_suffix: str = ""
    """Distinguishes concurrent reads of one key that must not be shared, such as by the columns."""


class _Cached(NamedTuple, Generic[_T]):
    """The value of a valid entry, with the entry's stamp, age and remaining TTL."""

    value: _T
    stamp: bytes
    age: float
    remaining: float


class RecordCache:
    """Reads records from the cache, reads missing records from the store, and caches them."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._single_flight: SingleFlight[Any] = SingleFlight(
            key_errors=(BadUserInput, LimitExceeded, NotFound)
        )

    async def get(
        self, query: RecordQuery[_T], origin: RecordOrigin, cache_control: CacheControl
    ) -> tuple[list[_T], float]:
        """Return the value of each record, and the shortest of their remaining TTLs.

        Raises `MixedRecordsError` if the records cannot be combined with those that the operation has used.
        """
        keys, slots = [*query.keys, *query.full_keys], [*query.slots]
        if query.full_keys:
            slots += query.slots
        bypass = cache_control is not CacheControl.DEFAULT or (origin.is_fresh and not query.groups)
        read = await self._cache.read(keys, slots, marks_only=bypass)
        load = _load_by_group if query.groups else _load_of_one_stamp
        cached = await load(query, read, origin)
        missing = [index for index, record in enumerate(cached) if record is None]
        stats = self._cache.stats.records
        stats.misses += len(missing)
        stats.hits += len(cached) - len(missing)
        values = await self._read_store(query, read, missing, origin, cache_control) if missing else ()
        remaining_ttls = (record.remaining for record in cached if record is not None)
        ttl = min((*remaining_ttls, *map(query.ttl, missing, values)), default=inf)
        remaining = iter(values)
        return [next(remaining) if record is None else record.value for record in cached], ttl

    async def discard(self, keys: Sequence[str]) -> None:
        """Delete the entries of records, because newer values of them were read in another way."""
        await self._cache.delete(keys)

    async def _read_store(
        self,
        query: RecordQuery[_T],
        read: CacheRead,
        missing: Sequence[int],
        origin: RecordOrigin,
        cache_control: CacheControl,
    ) -> Sequence[_T]:
        async def call(positions: Sequence[int]) -> Sequence[_T]:
            indexes = [missing[position] for position in positions]
            values = await query.read(indexes)
            if cache_control is not CacheControl.NO_STORE:
                await self._store(query, read, indexes, values, origin.stamp)
            return values

        if cache_control is not CacheControl.DEFAULT:
            # A call in flight may have begun before this request, which must not get an older value.
            return await call(range(len(missing)))
        keys = [
            read.flight_key(query.keys[index] + query.flight_suffix, query.slots[index]) for index in missing
        ]
        return await self._single_flight.load(keys, call)

    async def _store(
        self,
        query: RecordQuery[_T],
        read: CacheRead,
        indexes: Sequence[int],
        values: Sequence[_T],
        stamp: bytes,
    ) -> None:
        if not read.marks:
            return
        loop = CooperativeLoop()
        entries_by_ttl: dict[float, list[tuple[str, int, bytes]]] = {}
        for index, value in zip(indexes, values, strict=True):
            ttl = query.ttl(index, value)
            body = query.dump(value) if ttl > 0 else None
            if body is not None:
                entry = (query.keys[index], query.slots[index], stamp + body)
                entries_by_ttl.setdefault(ttl, []).append(entry)
            await loop.checkpoint()
        for ttl, entries in entries_by_ttl.items():
            await self._cache.write(read, entries, ttl)


async def _load_of_one_stamp(
    query: RecordQuery[_T], read: CacheRead, origin: RecordOrigin
) -> list[_Cached[_T] | None]:
    """Return all records if the cache has them with the stamp of the operation, and otherwise none."""
    count = len(query.keys)
    records = [] if origin.is_fresh else await _load_until_missing(query, read, origin.cached_stamp)
    if records and len(records) == count:
        age = max(record.age for record in records)
        # Another read of the operation may have decided differently in the meantime.
        if origin.use_cached(records[0].stamp, age):
            return [*records]
    if count:
        origin.require_fresh()
    return [None] * count


async def _load_until_missing(
    query: RecordQuery[_T], read: CacheRead, stamp: bytes | None
) -> list[_Cached[_T]]:
    loop = CooperativeLoop()
    records: list[_Cached[_T]] = []
    for index in range(len(query.keys)):
        candidates = _candidates(query, read, index)
        record = next((each for each in candidates if stamp in {None, each.stamp}), None)
        if record is None:
            break
        stamp = record.stamp
        records.append(record)
        await loop.checkpoint()
    return records


async def _load_by_group(
    query: RecordQuery[_T], read: CacheRead, origin: RecordOrigin
) -> list[_Cached[_T] | None]:
    loop = CooperativeLoop()
    records: list[_Cached[_T] | None] = []
    for index, group in enumerate(query.groups):
        record = next(_candidates(query, read, index), None)
        origin.use_group(group, origin.stamp if record is None else record.stamp)
        if record is not None:
            origin.add_age(record.age)
        records.append(record)
        await loop.checkpoint()
    return records


def _candidates(query: RecordQuery[_T], read: CacheRead, index: int) -> Iterator[_Cached[_T]]:
    """Yield the record from its own entry and from the full entry, as far as they are valid."""
    count = len(query.keys)
    for position in (index, count + index) if query.full_keys else (index,):
        entry = read.entries[position]
        value = None if entry is None else query.load(index, entry.body[STAMP_BYTES:])
        if entry is not None and value is not None:
            value = value if position == index else query.narrow(value)
            yield _Cached(value, bytes(entry.body[:STAMP_BYTES]), entry.age, entry.remaining)
