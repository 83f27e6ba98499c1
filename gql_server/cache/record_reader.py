"""The record cache as one operation uses it."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import CacheKey, Part
from gql_server.cache.cached_lists import CachedList, join_lists, select_keys, split_lists
from gql_server.cache.cached_rows import CachedRow, join_rows, split_rows
from gql_server.cache.invalidation import SHARED_SLOT, slot_of
from gql_server.cache.record_cache import RecordCache, RecordQuery
from gql_server.cache.record_origin import RecordOrigin
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
from schema.ports.table import Many, One, Table
from schema.ports.tracking import Pages

_T = TypeVar("_T")


class RecordKey(NamedTuple):
    """The key of a list: the id whose slot invalidates it, and the other parts of the key."""

    id: str
    parts: tuple[str, ...] = ()


class RecordReader:
    """Reads records from the record cache or from the store, for one operation of one caller.

    `min_ttl` is the shortest remaining TTL of all that was read so far, which is the TTL of the response.
    `origin` states which cached records the operation may use.
    """

    def __init__(
        self,
        cache: RecordCache,
        ttl: TimeToLive,
        principal: str | None,
        cache_control: CacheControl,
        *,
        final: bool = True,
    ) -> None:
        self.ttl = ttl
        self.min_ttl = ttl.active
        self.origin = RecordOrigin(fresh=cache_control is not CacheControl.DEFAULT, final=final)
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
        self,
        kind: str,
        parts: Sequence[Part],
        read: Callable[[], Awaitable[Pages]],
        replaces: Mapping[str, Callable[[Table], Iterable[str]]] = MappingProxyType({}),
    ) -> Pages:
        """Return pages that are cached in one entry.

        `replaces` has the kinds of rows whose entries older lookups left, and the ids of rows in the pages. A
        page that is read from the store deletes these entries.
        """

        async def read_and_replace() -> Pages:
            pages = await read()
            if self._cache_control is not CacheControl.NO_STORE:
                await self._cache.discard(list(self._keys_of_rows(replaces, pages.rows)))
            return pages

        return await self.read_whole(kind, parts, read_and_replace, dump_pages, load_pages)

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
        by_id: bool = True,
    ) -> One:
        """Return a row for each id; each row has its own entry.

        An entry is used if it has the columns. `by_id` is false where `ids` are names, which can change from
        one entity to another.
        """
        distinct = list(dict.fromkeys(ids))
        key = CacheKey(kind, self._principal)

        async def read_some(indexes: Sequence[int]) -> list[CachedRow]:
            return split_rows(await read([distinct[index] for index in indexes], columns), columns)

        def load(_index: int, body: memoryview) -> CachedRow | None:
            row = deserialize(load_row, body)
            return row if row and row.covers(columns) else None

        query = RecordQuery(
            keys=[key.for_record(id_) for id_ in distinct],
            slots=[slot_of(id_) if by_id else SHARED_SLOT for id_ in distinct],
            read=read_some,
            load=load,
            dump=dump_row,
            ttl=lambda _, __: self.ttl.active,
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
        *,
        check: Callable[[CachedList], None] = lambda _: None,
        ttl: Callable[[RecordKey], float] | None = None,
        group: Callable[[RecordKey], Hashable] | None = None,
    ) -> Many:
        """Return a list for each record key; each list has its own entry.

        `keys` selects rows of each list; an entry of the whole list serves as well. `check` is called with
        each cached list and may raise. `ttl` returns the TTL of each list, by default that of active runs.
        `group` returns the group of a list in a `RecordQuery`.
        """
        if not record_keys:
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
            ttl=lambda index, _: self.ttl.active if ttl is None else ttl(distinct[index]),
            groups=[group(key) for key in distinct] if group else (),
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
        keys: Collection[str] | None = None,
        parts: Sequence[Part] = (),
    ) -> Many:
        """Return a list for each run, experiment, model or version."""

        async def read_some(record_keys: Sequence[RecordKey]) -> Many:
            return await read([key.id for key in record_keys])

        return await self.read_lists(kind, parts, list(map(RecordKey, ids)), read_some, keys)

    def _keys_of_rows(
        self, kinds: Mapping[str, Callable[[Table], Iterable[str]]], rows: Table
    ) -> Iterator[str]:
        for kind, ids in kinds.items() if rows.size else ():
            yield from map(CacheKey(kind, self._principal).for_record, ids(rows))

    async def _get(self, query: RecordQuery[_T]) -> list[_T]:
        values, ttl = await self._cache.get(query, self.origin, self._cache_control)
        self.min_ttl = min(self.min_ttl, ttl)
        return values


def _texts(key: CacheKey, record_keys: Iterable[RecordKey]) -> list[str]:
    return [key.for_record(record.id, *record.parts) for record in record_keys]
