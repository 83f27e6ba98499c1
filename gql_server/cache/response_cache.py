"""Whole answers: the bytes that a query got, for whoever asks the same while all that is in them holds."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from gql_server.cache.cache import Cache, CacheRead
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import CacheKey
from gql_server.cache.invalidation import ANYTHING
from gql_server.runtime.single_flight import SingleFlight


class ComputedResponse(NamedTuple):
    """An answer just made, and the seconds that it holds; 0 where it must not be kept, as with errors.

    `codes` are those of its errors.
    """

    body: bytes | memoryview
    lifetime: float
    codes: tuple[str, ...] = ()


class CachedResponse(NamedTuple):
    """An answer's body; `age` is None where it was made now, for this request or one like it."""

    body: bytes | memoryview
    age: float | None
    codes: tuple[str, ...] = ()


class CacheLookup(NamedTuple):
    """What looking for an answer came to: the answer, or what is needed to make and keep it."""

    key: str
    use: CacheControl
    answer: CachedResponse | None
    reading: CacheRead | None


class ResponseCache:
    """The answers layer. For queries alone: what changes something is never shared and never kept."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._flights: SingleFlight[ComputedResponse] = SingleFlight()

    async def look(self, key: str, use: CacheControl = CacheControl.ANY) -> CacheLookup:
        """Look for the answer, which takes microseconds; where there is none, `make` is next."""
        if use is CacheControl.UNKEPT:
            return CacheLookup(key, use, None, None)
        reading = await self._cache.read((key,), (ANYTHING,), fresh=use is CacheControl.NEW)
        entry = reading.entries[0]
        if entry is None:
            self._cache.counts.answers.misses += 1
            return CacheLookup(key, use, None, reading)
        self._cache.counts.answers.hits += 1
        return CacheLookup(key, use, CachedResponse(entry.body, entry.age), reading)

    async def make(self, look: CacheLookup, run: Callable[[], Awaitable[ComputedResponse]]) -> CachedResponse:
        """Return what `run` makes, and keep it; those who ask the same meanwhile wait for the same run.

        Where who asked first leaves, the run goes on for the others; where all leave, it is cancelled.
        """

        async def fly(_places: Sequence[int]) -> Sequence[ComputedResponse]:
            body, lifetime, codes = await run()
            if look.reading is not None:
                body = await self._cache.keep(look.reading, look.key, ANYTHING, bytes(body), lifetime)
            return [ComputedResponse(body, lifetime, codes)]

        if look.reading is None or look.use is not CacheControl.ANY:
            (made,) = await fly(())
        else:
            flight = look.reading.flight(look.key, ANYTHING)
            if self._flights.completed_recently(flight) and (kept := (await self.look(look.key)).answer):
                return kept
            (made,) = await self._flights.load([flight], fly)
        return CachedResponse(made.body, None, made.codes)

    async def get_or_run(
        self, key: str, run: Callable[[], Awaitable[ComputedResponse]], use: CacheControl = CacheControl.ANY
    ) -> CachedResponse:
        """Return the answer that is kept, or what `run` makes."""
        look = await self.look(key, use)
        return look.answer or await self.make(look, run)


def response_key(
    source: str,
    operation_name: str | None,
    variables: Mapping[str, Any],
    principal: str | None,
    base: str = "",
) -> str:
    """Return the key of the answer to an operation, whatever media type it is sent as.

    `variables` are JSON values in any order of their names; `base` is the path that links in it begin with.
    """
    canonical = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode() if variables else ""
    return CacheKey("answer", principal, source, operation_name, canonical, base).text
