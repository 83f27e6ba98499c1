"""The record cache as one operation uses it."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import CacheKey, Part
from gql_server.cache.cached_lists import CachedList, join_lists, select_keys, split_lists
from gql_server.cache.cached_rows import CachedRow, join_rows, split_rows
from gql_server.cache.finished_runs import FinishedRuns
from gql_server.cache.invalidation import SHARED_SLOT, slot_of
from gql_server.cache.record_cache import RecordCache, RecordQuery
from gql_server.cache.serialization import (
    deserialize,
    dump_many,
    dump_pages,
    dump_row,
    load_list,
    load_many,
    load_pages,
    load_row,
    serialize,
)
from gql_server.cache.ttl import TimeToLive
from schema.ports.table import Many, One
from schema.ports.tracking import Pages

_T = TypeVar("_T")


class RecordKey(NamedTuple):
    """The key of a list: the id whose slot invalidates it, the other parts of the key, and the list's TTL."""

    id: str
    parts: tuple[str, ...]
    ttl: float


class RecordReader:
    """Reads records from the record cache or from the store, for one operation of one caller.

    `min_ttl` is the shortest remaining TTL of all that was read so far, which is the TTL of the response.
    Without a record cache each method calls the store, and `min_ttl` is the same as on a miss.
    """

    def __init__(
        self,
        cache: RecordCache | None,
        finished_runs: FinishedRuns,
        ttl: TimeToLive,
        principal: str | None,
        cache_control: CacheControl,
    ) -> None:
        self.finished_runs = finished_runs
        self.ttl = ttl
        self.min_ttl = ttl.finished
        self._cache = cache
        self._principal = principal
        self._cache_control = cache_control

    async def read_whole(
        self,
        kind: str,
        parts: Sequence[Part],
        read: Callable[[], Awaitable[_T]],
        dump: Callable[[_T], bytes | None],
        load: Callable[[Any], _T],
    ) -> _T:
        """Return a result that is cached in one entry, such as a page of a search."""

        async def read_all(_indexes: Sequence[int]) -> list[_T]:
            return [await read()]

        query = RecordQuery(
            keys=[CacheKey(kind, self._principal, *parts).text],
            slots=[SHARED_SLOT],
            read=read_all,
            load=lambda _, body: deserialize(load, body),
            dump=dump,
            ttl=lambda _, __: self.ttl.active,
        )
        return (await self._get(query))[0]

    async def read_pages(
        self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Pages]]
    ) -> Pages:
        """Return pages that are cached in one entry."""
        return await self.read_whole(kind, parts, read, dump_pages, load_pages)

    async def read_many(self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Many]]) -> Many:
        """Return lists that are cached in one entry."""
        return await self.read_whole(kind, parts, read, dump_many, load_many)

    async def read_values(
        self, kind: str, parts: Sequence[Part], read: Callable[[], Awaitable[Sequence[_T]]]
    ) -> Sequence[_T]:
        """Return plain values, such as counts, that are cached in one entry."""
        return await self.read_whole(kind, parts, read, serialize, list)

    async def read_rows(
        self,
        kind: str,
        ids: Sequence[str],
        columns: frozenset[str],
        read: Callable[[Sequence[str], frozenset[str]], Awaitable[One]],
        *,
        ttl: Callable[[CachedRow], float] | None = None,
        is_valid: Callable[[str, CachedRow], bool] = lambda _, __: True,
        by_id: bool = True,
    ) -> One:
        """Return a row for each id; each row has its own entry.

        An entry is used if it has the columns and `is_valid` accepts it. `ttl` defaults to that of
        experiments. `by_id` is false where `ids` are names, which can change from one entity to another.
        """
        distinct = list(dict.fromkeys(ids))
        key = CacheKey(kind, self._principal)
        ttl_of = ttl or self._entity_ttl

        async def read_some(indexes: Sequence[int]) -> list[CachedRow]:
            return split_rows(await read([distinct[index] for index in indexes], columns), columns)

        def load(index: int, body: memoryview) -> CachedRow | None:
            row = deserialize(load_row, body)
            return row if row and row.covers(columns) and is_valid(distinct[index], row) else None

        query = RecordQuery(
            keys=[key.for_record(id_) for id_ in distinct],
            slots=[slot_of(id_) if by_id else SHARED_SLOT for id_ in distinct],
            read=read_some,
            load=load,
            dump=dump_row,
            ttl=lambda _, row: ttl_of(row),
            flight_suffix="+".join(sorted(columns)),
        )
        rows = dict(zip(distinct, await self._get(query), strict=True))
        return join_rows([rows[id_] for id_ in ids], columns)

    async def read_lists(
        self,
        kind: str,
        parts: Sequence[Part],
        record_keys: Sequence[RecordKey],
        read: Callable[[Sequence[RecordKey]], Awaitable[Many]],
        keys: Collection[str] | None = None,
        check: Callable[[CachedList], None] = lambda _: None,
    ) -> Many:
        """Return a list for each record key; each list has its own entry.

        `keys` selects rows of each list; an entry of the whole list serves as well. `check` is called with
        each cached list and may raise.
        """
        if self._cache is None or not record_keys:
            self._limit_ttl(key.ttl for key in record_keys)
            return await read(record_keys)
        distinct = list(dict.fromkeys(record_keys))
        full_keys = _texts(CacheKey(kind, self._principal, *parts), distinct)
        selected_keys = (
            full_keys
            if keys is None
            else _texts(CacheKey(kind, self._principal, sorted(keys), *parts), distinct)
        )

        async def read_some(indexes: Sequence[int]) -> list[CachedList]:
            return split_lists(await read([distinct[index] for index in indexes]))

        def load(_index: int, body: memoryview) -> CachedList | None:
            rows = deserialize(load_list, body)
            if rows is not None:
                check(rows)
            return rows

        query = RecordQuery(
            keys=selected_keys,
            slots=[slot_of(key.id) for key in distinct],
            read=read_some,
            load=load,
            dump=serialize,
            ttl=lambda index, _: distinct[index].ttl,
            full_keys=[] if keys is None else full_keys,
            narrow=lambda rows: select_keys(rows, keys or ()),
        )
        lists = dict(zip(distinct, await self._get(query), strict=True))
        return join_lists([lists[key] for key in record_keys])

    async def read_entity_lists(
        self,
        kind: str,
        ids: Sequence[str],
        read: Callable[[Sequence[str]], Awaitable[Many]],
        *,
        ttl: float | None = None,
        keys: Collection[str] | None = None,
    ) -> Many:
        """Return a list for each experiment, model or version; `ttl` defaults to that of experiments."""

        async def read_some(record_keys: Sequence[RecordKey]) -> Many:
            return await read([key.id for key in record_keys])

        record_keys = [RecordKey(id_, (), self.ttl.experiments if ttl is None else ttl) for id_ in ids]
        return await self.read_lists(kind, (), record_keys, read_some, keys)

    def run_keys(self, run_ids: Sequence[str], parts: Iterable[str] = repeat("")) -> list[RecordKey]:
        """Return record keys for what was logged to runs, with a further part of the key for each."""
        end_times = self.finished_runs.end_times(run_ids)
        # With the end time, a run that was resumed does not share entries with its past.
        key_parts = zip(parts, map(str, end_times), strict=False)
        return list(map(RecordKey, run_ids, key_parts, map(self.ttl.of_run, end_times)))

    def _entity_ttl(self, row: CachedRow) -> float:
        return self.ttl.active if row.leaves is None else self.ttl.experiments

    async def _get(self, query: RecordQuery[_T]) -> list[_T]:
        if self._cache is None:
            indexes = range(len(query.keys))
            values = list(await query.read(indexes))
            self._limit_ttl(map(query.ttl, indexes, values))
            return values
        values, ttl = await self._cache.get(query, self._cache_control)
        self._limit_ttl([ttl])
        return values

    def _limit_ttl(self, ttls: Iterable[float]) -> None:
        self.min_ttl = min((self.min_ttl, *ttls))


def _texts(key: CacheKey, record_keys: Iterable[RecordKey]) -> list[str]:
    return [key.for_record(record.id, *record.parts) for record in record_keys]
