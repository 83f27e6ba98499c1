"""The response cache: the bytes of whole responses to queries."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from gql_server.cache.cache import Cache, CacheRead
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cache_key import DIGEST_BYTES
from gql_server.cache.invalidation import SHARED_SLOT
from gql_server.runtime.single_flight import SingleFlight


class ComputedResponse(NamedTuple):
    """The body of a response just computed, its TTL in seconds, and the codes of its errors.

    A TTL of 0, which responses with errors have, prevents caching. `age` is the age of the oldest cached
    record that the response was computed from, in seconds; None if all were read from the store.
    """

    body: bytes | memoryview
    ttl: float
    codes: tuple[str, ...] = ()
    age: float | None = None

    def as_new(self) -> "CachedResponse":
        """Return the response for the request that it was computed for."""
        return CachedResponse(self.body, self.age, self.codes)


class CachedResponse(NamedTuple):
    """The body of a response; `age`, in seconds, is None if all of it was just read from the store."""

    body: bytes | memoryview
    age: float | None
    codes: tuple[str, ...] = ()


class CacheLookup(NamedTuple):
    """The result of a lookup: the cached response, or what is needed to compute and cache it."""

    key: str
    cache_control: CacheControl
    response: CachedResponse | None
    read: CacheRead | None


class ResponseCache:
    """The response cache of one process, for queries only: mutations are neither cached nor shared."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._single_flight: SingleFlight[ComputedResponse] = SingleFlight()

    async def lookup(self, key: str, cache_control: CacheControl = CacheControl.DEFAULT) -> CacheLookup:
        """Look the response up, in microseconds if the cache is in memory."""
        if cache_control is CacheControl.NO_STORE:
            return CacheLookup(key, cache_control, None, None)
        read = await self._cache.read(
            (key,), (SHARED_SLOT,), marks_only=cache_control is CacheControl.NO_CACHE
        )
        entry = read.entries[0]
        if entry is None:
            self._cache.stats.answers.misses += 1
            return CacheLookup(key, cache_control, None, read)
        self._cache.stats.answers.hits += 1
        return CacheLookup(key, cache_control, CachedResponse(entry.body, entry.age), read)

    async def get_or_compute(
        self, lookup: CacheLookup, compute: Callable[[], Awaitable[ComputedResponse]]
    ) -> CachedResponse:
        """Return the response of the lookup; if it has none, compute it, cache it and return it.

        Equal requests share one computation. It continues if the request that started it is cancelled, and
        is cancelled with the last of them.
        """
        if lookup.response is not None:
            return lookup.response

        async def compute_and_cache(_indexes: Sequence[int]) -> Sequence[ComputedResponse]:
            computed = await compute()
            if lookup.read is None:
                return [computed]
            body = await self._cache.write_one(
                lookup.read,
                lookup.key,
                SHARED_SLOT,
                bytes(computed.body),
                computed.ttl,
                computed.age or 0.0,
            )
            return [computed._replace(body=body)]

        if lookup.read is None or lookup.cache_control is not CacheControl.DEFAULT:
            (computed,) = await compute_and_cache(())
            return computed.as_new()
        flight_key = lookup.read.flight_key(lookup.key, SHARED_SLOT)
        if self._single_flight.completed_recently(flight_key):
            again = await self.lookup(lookup.key)
            if again.response is not None:
                return again.response
        (computed,) = await self._single_flight.load([flight_key], compute_and_cache)
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
    parts = principal, source, operation_name, variables, root_path
    content = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return f"response:{blake2b(content, digest_size=DIGEST_BYTES).hexdigest()}"
