"""Tests with Redis, shared, dying and coming back."""

import asyncio
import time

import redis

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from gql_server.cache.invalidation import slots_of
from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.gql_server.cache.conftest import RedisServer
from tests.gql_server.cache.test_cache import get, put
from tests.support.clock import Clock

TIMEOUT = 0.2
"""How long a Redis that hangs is waited for; one that answers has more time than it needs."""


def _open(url: str, store: str = "store", timeout: float = 5.0) -> Cache:
    return open_cache(url, store, most_bytes=0, timeout=timeout)


async def test_replicas_share_entries_and_changes(redis_url: str) -> None:
    """What one replica wrote another reads; what changed through one is gone for the other at once."""
    one, other = _open(redis_url), _open(redis_url)
    await put(one, "a", b"1")
    assert await get(other, "a") == b"1"
    await one.forget(slots_of(["run"]))
    assert await get(other, "a") is None
    for cache in (one, other):
        await cache.close()


async def test_stores_share_a_redis_and_no_entries(redis_url: str) -> None:
    """Servers over different stores never see each other's entries, and no URI stands in a key."""
    one, other = _open(redis_url, "sqlite:///secret-a"), _open(redis_url, "sqlite:///secret-b")
    await put(one, "a", b"1")
    assert await get(other, "a") is None
    with redis.Redis.from_url(redis_url) as client:
        keys = client.keys("*")
        assert all(key.startswith(b"mlflow-gql:") and b"secret" not in key for key in keys)
        # Whatever is left behind ends by itself.
        assert all(client.ttl(key) > 0 for key in keys)
    for cache in (one, other):
        await cache.close()


async def test_what_leaves_in_the_middle_spoils_no_connection(redis_url: str) -> None:
    """Readings cancelled at any moment never leave their answers to those who come after them."""
    cache = _open(redis_url)
    for number in range(50):
        await put(cache, f"k{number}", b"%d" % number)
    for number in range(50):
        reading = asyncio.ensure_future(get(cache, f"k{number}"))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
    assert [await get(cache, f"k{number}") for number in range(50)] == [
        b"%d" % number for number in range(50)
    ]
    await cache.close()


async def test_more_readers_than_connections_wait_for_one(redis_url: str) -> None:
    """A hundred readers at once are no failure of the cache."""
    cache = _open(redis_url)
    await put(cache, "a", b"1")
    assert await asyncio.gather(*(get(cache, "a") for _ in range(100))) == [b"1"] * 100
    assert cache.circuit.failures == 0
    await cache.close()


async def test_redis_dies_and_comes_back(own_redis: RedisServer, clock: Clock) -> None:
    """A dead Redis is an empty cache that costs one try, and it is used again once it is back."""
    cache = _open(own_redis.url)
    cache.circuit = CircuitBreaker(retry_seconds=0.3, clock=clock)
    await put(cache, "a", b"1")
    own_redis.kill()
    for _ in range(100):
        assert await get(cache, "a") is None
    assert cache.circuit.failures == 1
    own_redis.start()
    clock.now += 0.3
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"
    await cache.close()


async def test_redis_restarts_between_two_requests(own_redis: RedisServer) -> None:
    """A connection that Redis closed meanwhile is no failure: the next command opens another."""
    cache = _open(own_redis.url)
    await put(cache, "a", b"1")
    own_redis.kill()
    own_redis.start()
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"
    assert cache.circuit.failures == 0
    await cache.close()


async def test_a_redis_that_hangs_is_waited_for_once(own_redis: RedisServer, clock: Clock) -> None:
    """A Redis that takes commands and answers none costs one timeout, not one for each request."""
    cache = _open(own_redis.url, timeout=TIMEOUT)
    await put(cache, "a", b"1")
    own_redis.hang()
    # Whether or not the first was in time, on a machine that does much else.
    cache.circuit = CircuitBreaker(clock=clock)
    start = time.perf_counter()
    assert [await get(cache, "a") for _ in range(100)] == [None] * 100
    # A timeout for each would be twenty seconds.
    assert TIMEOUT <= time.perf_counter() - start < 50 * TIMEOUT
    assert cache.circuit.failures == 1
    await cache.close()
