"""The response cache."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.invalidation import affected_slots
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.response_cache import CachedResponse, ComputedResponse, ResponseCache, response_key
from schema.ports.errors import StoreUnavailable
from tests.gql_server.cache.conftest import MAX_BYTES
from tests.support.clock import Clock

KEY = response_key("{ a }", None, {}, None)


class Computation:
    """Computes numbered responses while `go` is set."""

    def __init__(self, ttl: float = 60.0) -> None:
        self.count = 0
        self.released = asyncio.Event()
        self.released.set()
        self._started = asyncio.Event()
        self._ttl = ttl

    async def __call__(self) -> ComputedResponse:
        """Compute the next response."""
        self.count += 1
        self._started.set()
        number = self.count
        await self.released.wait()
        return ComputedResponse(b"%d" % number, self._ttl)

    async def started(self, count: int) -> None:
        """Return when this number of computations have started."""
        async with asyncio.timeout(20):
            while self.count < count:
                await self._started.wait()
                self._started.clear()


async def missed(cache: Cache, count: int) -> None:
    """Return when this number of lookups have missed."""
    async with asyncio.timeout(20):
        while cache.stats.answers.misses < count:  # noqa: ASYNC110 - no event is set for a miss
            await asyncio.sleep(0.01)


async def respond(
    responses: ResponseCache,
    compute: Callable[[], Awaitable[ComputedResponse]],
    cache_control: CacheControl = CacheControl.DEFAULT,
) -> CachedResponse:
    """Return the response to a request, as the endpoint does."""
    return await responses.get_or_compute(await responses.lookup(KEY, cache_control), compute)


def _body(response: CachedResponse) -> bytes:
    return bytes(response.body)


async def test_cached_response_has_an_age(cache: Cache) -> None:
    """An equal request gets the cached response with its age; the first response has none."""
    responses, compute = ResponseCache(cache), Computation()
    first = await respond(responses, compute)
    again = await respond(responses, compute)
    assert (first.body, first.age) == (b"1", None)
    assert (_body(again), compute.count) == (b"1", 1)
    assert again.age is not None
    assert 0.0 <= again.age < 30.0
    assert (cache.stats.answers.hits, cache.stats.answers.misses) == (1, 1)


async def test_age_of_records_is_part_of_the_age() -> None:
    """A response that was computed from cached records has their age, and in the cache it grows older."""
    clock = Clock()
    cache = Cache(MemoryBackend(MAX_BYTES, clock=clock), max_entry_bytes=1000, clock=clock)
    responses = ResponseCache(cache)

    async def compute() -> ComputedResponse:
        return ComputedResponse(b"1", 60.0, age=5.0)

    assert (await respond(responses, compute)).age == 5.0
    clock.now += 3.0
    assert (await respond(responses, compute)).age == 8.0


async def test_response_without_ttl_is_not_cached(cache: Cache) -> None:
    """A response with a TTL of 0, as with errors, is computed for each request."""
    responses, compute = ResponseCache(cache), Computation(ttl=0.0)
    assert [_body(await respond(responses, compute)) for _ in range(2)] == [b"1", b"2"]


async def test_no_cache_computes_and_updates_the_cache(cache: Cache) -> None:
    """With no-cache the response is computed, and later requests get it from the cache."""
    responses, compute = ResponseCache(cache), Computation()
    directives = [CacheControl.DEFAULT, CacheControl.NO_CACHE, CacheControl.DEFAULT]
    assert [_body(await respond(responses, compute, directive)) for directive in directives] == [
        b"1",
        b"2",
        b"2",
    ]


async def test_no_store_computes_and_leaves_the_cache_unchanged(cache: Cache) -> None:
    """With no-store the response is computed, and later requests get the one cached before."""
    responses, compute = ResponseCache(cache), Computation()
    directives = [CacheControl.NO_STORE, CacheControl.DEFAULT, CacheControl.NO_STORE, CacheControl.DEFAULT]
    bodies = [_body(await respond(responses, compute, directive)) for directive in directives]
    assert bodies == [b"1", b"2", b"3", b"2"]


async def test_concurrent_equal_requests_share_a_computation(cache: Cache) -> None:
    """Twenty equal requests at once share one computation; a request with no-cache has its own."""
    responses, compute = ResponseCache(cache), Computation()
    compute.released.clear()
    requests = [asyncio.ensure_future(respond(responses, compute)) for _ in range(20)]
    new = asyncio.ensure_future(respond(responses, compute, CacheControl.NO_CACHE))
    await compute.started(2)
    await missed(cache, 21)
    compute.released.set()
    assert {_body(response) for response in await asyncio.gather(*requests)} <= {b"1", b"2"}
    assert compute.count == 2
    assert (await new).age is None


class LateBackend(MemoryBackend):
    """A backend whose reads return late while `arrives` is set."""

    arrives: asyncio.Event | None = None

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self.has_read = asyncio.Event()

    async def multi_get(self, *arguments: Any, **named: Any) -> Any:
        """Read now, and return later."""
        values = await super().multi_get(*arguments, **named)
        if self.arrives:
            self.has_read.set()
            await self.arrives.wait()
        return values


async def test_miss_is_looked_up_again_after_a_completed_computation() -> None:
    """A lookup that missed just before the response was stored does not compute it again."""
    backend = LateBackend(MAX_BYTES)
    responses, compute = ResponseCache(Cache(backend, max_entry_bytes=1000)), Computation()
    compute.released.clear()
    first = asyncio.ensure_future(respond(responses, compute))
    await compute.started(1)
    arrives = backend.arrives = asyncio.Event()
    late = asyncio.ensure_future(respond(responses, compute))
    await backend.has_read.wait()
    compute.released.set()
    assert _body(await first) == b"1"
    arrives.set()
    assert (_body(await late), compute.count) == (b"1", 1)


async def test_cancelled_request_does_not_affect_others(cache: Cache) -> None:
    """When the first request is cancelled, the others get the response of its computation."""
    responses, compute = ResponseCache(cache), Computation()
    compute.released.clear()
    first, *others = [asyncio.ensure_future(respond(responses, compute)) for _ in range(5)]
    await missed(cache, 5)
    first.cancel()
    await asyncio.sleep(0)
    compute.released.set()
    assert [_body(response) for response in await asyncio.gather(*others)] == [b"1"] * 4


async def test_error_reaches_all_requests_and_is_not_cached(cache: Cache) -> None:
    """An error of a computation is raised for all its requests, and the next request computes again."""
    responses = ResponseCache(cache)

    async def fail() -> ComputedResponse:
        await asyncio.sleep(0.01)
        raise StoreUnavailable

    requests = [respond(responses, fail) for _ in range(5)]
    errors = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(error) for error in errors] == [StoreUnavailable] * 5
    assert _body(await respond(responses, Computation())) == b"1"


async def test_invalidation_covers_computations_in_flight(cache: Cache) -> None:
    """A request after an invalidation gets no response whose computation started before it."""
    responses, compute = ResponseCache(cache), Computation()
    await respond(responses, compute)
    await cache.invalidate(affected_slots(["run"]))
    compute.released.clear()
    in_flight = asyncio.ensure_future(respond(responses, compute))
    await compute.started(2)
    await cache.invalidate(affected_slots(["another"]))
    after = asyncio.ensure_future(respond(responses, compute))
    await compute.started(3)
    compute.released.set()
    assert (_body(await in_flight), _body(await after)) == (b"2", b"3")
    assert _body(await respond(responses, compute)) == b"3"


def test_key_contains_all_that_the_response_depends_on() -> None:
    """The key differs by document, operation, variables and caller, but not by the order of variables."""
    keys = [
        KEY,
        response_key("{ b }", None, {}, None),
        response_key("{ a }", "a", {}, None),
        response_key("{ a }", None, {"a": 1}, None),
        response_key("{ a }", None, {"a": "1"}, None),
        response_key("{ a }", None, {"a": None}, None),
        response_key("{ a }", None, {}, "one"),
        response_key("{ a }", None, {}, "other"),
    ]
    assert len(set(keys)) == len(keys)
    one = response_key("{ a }", None, {"a": 1, "b": {"c": 2, "d": 3}}, None)
    assert one == response_key("{ a }", None, {"b": {"d": 3, "c": 2}, "a": 1}, None)
