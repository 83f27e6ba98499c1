"""The response cache: the bytes of whole responses to queries."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from gql_server.cache.cache import Cache, CacheRead
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import CacheKey
from gql_server.cache.invalidation import ANYTHING
from gql_server.runtime.single_flight import SingleFlight


class ComputedResponse(NamedTuple):
    """A response just computed, with its time to live in seconds; 0, as for errors, keeps it uncached.

    `codes` are those of its errors.
    """

    body: bytes | memoryview
    lifetime: float
    codes: tuple[str, ...] = ()

    def as_new(self) -> "CachedResponse":
        """Return the response as the request gets it that it was computed for."""
        return CachedResponse(self.body, None, self.codes)


class CachedResponse(NamedTuple):
    """The body of a response; `age`, in seconds, is None if the body was not in the cache."""

    body: bytes | memoryview
    age: float | None
    codes: tuple[str, ...] = ()


class CacheLookup(NamedTuple):
    """The result of a lookup: the cached response, or what is needed to compute and cache it."""

    key: str
    cache_control: CacheControl
    response: CachedResponse | None
    reading: CacheRead | None


class ResponseCache:
    """The response cache of one process, for queries only: mutations are neither cached nor shared."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._flights: SingleFlight[ComputedResponse] = SingleFlight()

    async def lookup(self, key: str, cache_control: CacheControl = CacheControl.ANY) -> CacheLookup:
        """Look the response up, in microseconds if the cache is in memory."""
        if cache_control is CacheControl.UNKEPT:
            return CacheLookup(key, cache_control, None, None)
        reading = await self._cache.read((key,), (ANYTHING,), fresh=cache_control is CacheControl.NEW)
        entry = reading.entries[0]
        if entry is None:
            self._cache.counts.answers.misses += 1
            return CacheLookup(key, cache_control, None, reading)
        self._cache.counts.answers.hits += 1
        return CacheLookup(key, cache_control, CachedResponse(entry.body, entry.age), reading)

    async def get_or_compute(
        self, lookup: CacheLookup, compute: Callable[[], Awaitable[ComputedResponse]]
    ) -> CachedResponse:
        """Return the response of the lookup; if it has none, compute it, cache it and return it.

        Equal requests share one computation. It continues if the request that started it is cancelled, and
        is cancelled with the last of them.
        """
        if lookup.response is not None:
            return lookup.response

        async def compute_and_cache(_places: Sequence[int]) -> Sequence[ComputedResponse]:
            body, lifetime, codes = await compute()
            if lookup.reading is not None:
                body = await self._cache.keep(lookup.reading, lookup.key, ANYTHING, bytes(body), lifetime)
            return [ComputedResponse(body, lifetime, codes)]

        if lookup.reading is None or lookup.cache_control is not CacheControl.ANY:
            (computed,) = await compute_and_cache(())
            return computed.as_new()
        flight = lookup.reading.flight(lookup.key, ANYTHING)
        if self._flights.completed_recently(flight) and (cached := (await self.lookup(lookup.key)).response):
            return cached
        (computed,) = await self._flights.load([flight], compute_and_cache)
        return computed.as_new()


def response_key(
    source: str,
    operation_name: str | None,
    variables: Mapping[str, Any],
    principal: str | None,
    root_path: str = "",
) -> str:
    """Return the key of the response to an operation, the same for every media type.

    `variables` are JSON values; the order of their names does not matter. `root_path` is the path that links
    in the response start with.
    """
    canonical = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode() if variables else ""
    return CacheKey("answer", principal, source, operation_name, canonical, root_path).text
