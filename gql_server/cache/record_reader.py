"""Records: what one operation reads of the store, through the cache, and for how long that holds."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import CacheKey, Part
from gql_server.cache.cached_lists import CachedList, join, split, under
from gql_server.cache.cached_rows import CachedRow, items, row_of
from gql_server.cache.invalidation import ANYTHING, slot_of
from gql_server.cache.record_cache import RecordCache, RecordQuery
from gql_server.cache.serialization import load_item, load_piece, pack_item, pack_piece, unpacked
from schema.ports.table import Many, One

_T = TypeVar("_T")


class RecordKey(NamedTuple):
    """What has an entry of its own: the id that it is forgotten by, what else is in its key, its lifetime."""

    id: str
    name: tuple[str, ...]
    lifetime: float


@dataclass(slots=True)
class RecordReader:
    """The records layer for one caller; `shortest` falls with each answer to the seconds that it holds.

    Without `entries` nothing is kept, and only the lifetimes are noted.
    """

    entries: RecordCache | None
    principal: str | None
    use: CacheControl
    shortest: float

    async def whole(
        self,
        kind: str,
        parts: Sequence[Part],
        lifetime: float,
        read: Callable[[], Awaitable[_T]],
        pack: Callable[[_T], bytes | None],
        load: Callable[[Any], _T],
    ) -> _T:
        """Return an answer that has one entry as a whole, as a page of a search has."""

        async def only(_places: Sequence[int]) -> list[_T]:
            return [await read()]

        question = RecordQuery(
            keys=[CacheKey(kind, self.principal, *parts).text],
            slots=[ANYTHING],
            read=only,
            load=lambda _, body: unpacked(load, body),
            dump=pack,
            lifetime=lambda _, __: lifetime,
        )
        return (await self._ask(question))[0]

    async def rows(
        self,
        kind: str,
        ids: Sequence[str],
        columns: frozenset[str],
        read: Callable[[Sequence[str], frozenset[str]], Awaitable[One]],
        lifetime: Callable[[CachedRow], float],
        serves: Callable[[str, CachedRow], bool] = lambda _, __: True,
        *,
        by_id: bool = True,
    ) -> One:
        """Return a row for each id, each from an entry of its own.

        An entry serves if it has the columns and `serves` says so. `by_id` is false where the ids are names,
        which may pass from one thing to another.
        """
        distinct = list(dict.fromkeys(ids))
        key = CacheKey(kind, self.principal)

        async def some(places: Sequence[int]) -> list[CachedRow]:
            return items(await read([distinct[place] for place in places], columns), columns)

        def load(place: int, body: memoryview) -> CachedRow | None:
            item = unpacked(load_item, body)
            return item if item and item.covers(columns) and serves(distinct[place], item) else None

        question = RecordQuery(
            keys=[key.of(own) for own in distinct],
            slots=[slot_of(own) if by_id else ANYTHING for own in distinct],
            read=some,
            load=load,
            dump=pack_item,
            lifetime=lambda _, item: lifetime(item),
            flight="+".join(sorted(columns)),
        )
        found = dict(zip(distinct, await self._ask(question), strict=True))
        return row_of([found[own] for own in ids], columns)

    async def lists(
        self,
        kind: str,
        parts: Sequence[Part],
        things: Sequence[RecordKey],
        read: Callable[[Sequence[RecordKey]], Awaitable[Many]],
        keys: Collection[str] | None = None,
        weigh: Callable[[CachedList], None] = lambda _: None,
    ) -> Many:
        """Return a list for each thing, each from an entry of its own.

        `keys` asks for a part of each list, and the entry of the whole list serves too. `weigh` sees each
        list that was kept, and may raise.
        """
        if self.entries is None or not things:
            self._note(thing.lifetime for thing in things)
            return await read(things)
        distinct = list(dict.fromkeys(things))
        whole = self._keys(CacheKey(kind, self.principal, *parts), distinct)
        some = (
            whole
            if keys is None
            else self._keys(CacheKey(kind, self.principal, sorted(keys), *parts), distinct)
        )

        async def read_some(places: Sequence[int]) -> list[CachedList]:
            return split(await read([distinct[place] for place in places]))

        def load(_place: int, body: memoryview) -> CachedList | None:
            piece = unpacked(load_piece, body)
            if piece is not None:
                weigh(piece)
            return piece

        question = RecordQuery(
            keys=some,
            slots=[slot_of(thing.id) for thing in distinct],
            read=read_some,
            load=load,
            dump=pack_piece,
            lifetime=lambda place, _: distinct[place].lifetime,
            fuller=[] if keys is None else whole,
            narrow=lambda piece: under(piece, keys or ()),
        )
        found = dict(zip(distinct, await self._ask(question), strict=True))
        return join([found[thing] for thing in things])

    async def _ask(self, question: RecordQuery[_T]) -> list[_T]:
        if self.entries is None:
            places = range(len(question.keys))
            answers = list(await question.read(places))
            self._note(map(question.lifetime, places, answers))
            return answers
        answers, left = await self.entries.ask(question, self.use)
        self._note([left])
        return answers

    def _note(self, seconds: Iterable[float]) -> None:
        self.shortest = min((self.shortest, *seconds))

    @staticmethod
    def _keys(key: CacheKey, things: Iterable[RecordKey]) -> list[str]:
        return [key.of(thing.id, *thing.name) for thing in things]
