"""The cache in Redis: shared by replicas, cancelled, failing and restarted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from gql_server.cache.invalidation import affected_slots
from gql_server.runtime.circuit_breaker import CircuitBreaker
from tests.gql_server.cache.conftest import CACHE_LIMITS
from tests.gql_server.cache.test_cache import get, put
from tests.support.app.graphql_client import graphql_client
from tests.support.clock import Clock
from tests.support.servers.redis_server import RedisServer
from tests.support.stores.store import Store

TIMEOUT = 0.2
"""The timeout for a Redis that does not respond; other tests allow more than they need."""


def _open(url: str, store: str = "store", timeout: float = 5.0) -> Cache:
    return open_cache(url, store, replace(CACHE_LIMITS, cache_timeout=timeout))


async def test_replicas_share_entries_and_invalidations(redis_url: str) -> None:
    """A replica reads what another wrote, and an invalidation by one is effective in the other at once."""
    one, other = _open(redis_url), _open(redis_url)
    await put(one, "a", b"1")
    assert await get(other, "a") == b"1"
    await one.invalidate(affected_slots(["run"]))
    assert await get(other, "a") is None
    for cache in (one, other):
        await cache.close()


async def test_servers_of_different_stores_share_no_entries(redis_url: str) -> None:
    """Servers of different stores read none of each other's entries, and no key contains a URI."""
    one, other = _open(redis_url, "sqlite:///secret-a"), _open(redis_url, "sqlite:///secret-b")
    await put(one, "a", b"1")
    assert await get(other, "a") is None
    with redis.Redis.from_url(redis_url) as client:
        keys = client.keys("*")
        assert all(key.startswith(b"mlflow-gql:") and b"secret" not in key for key in keys)
        # Every key expires.
        assert all(client.ttl(key) > 0 for key in keys)
    for cache in (one, other):
        await cache.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value[:-1],
        lambda value: value[: len(value) // 2],
        lambda value: value[:3],
        lambda _: b"",
        lambda value: value + b" ",
        lambda value: value[:5] + bytes([value[5] ^ 1]) + value[6:],
        lambda value: value[:-5] + value[-4:],
    ],
)
async def test_damaged_entry_is_missing(redis_url: str, damage: Callable[[bytes], bytes]) -> None:
    """An entry or a mark in Redis that was cut, extended or changed is a missing one."""
    cache = _open(redis_url)
    await put(cache, "a", b'{"data": "' + b"x" * 100 + b'"}')
    with redis.Redis.from_url(redis_url) as client:
        for key in client.keys("*"):
            client.set(key, damage(client.get(key)), keepttl=True)
    assert await get(cache, "a") is None
    await put(cache, "a", b"1")
    assert await get(cache, "a") == b"1"
    await cache.close()


async def test_damaged_responses_are_not_sent(redis_url: str, sqlite_store: Store) -> None:
    """A response that was cut in Redis is computed again, and not sent."""
    sqlite_store.client.create_run("0", run_name="x")
    async with graphql_client(sqlite_store.uri, cache_url=redis_url) as graphql:
        query = "{ runs { nodes { name tags { key value } } } }"
        expected = await graphql.data(query)
        with redis.Redis.from_url(redis_url) as client:
            keys = client.keys("*")
            assert keys
            for key in keys:
                client.set(key, client.get(key)[:-5], keepttl=True)
        assert await graphql.data(query) == expected


async def test_cancelled_read_keeps_connection_usable(redis_url: str) -> None:
    """After reads are cancelled at any step, later reads get their own responses."""
    cache = _open(redis_url)
    for number in range(50):
        await put(cache, f"k{number}", b"%d" % number)
    for number in range(50):
        task = asyncio.ensure_future(get(cache, f"k{number}"))
        for _ in range(number % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert [await get(cache, f"k{number}") for number in range(50)] == [
        b"%d" % number for number in range(50)
    ]
    await cache.close()


async def test_reads_beyond_connection_limit_wait(redis_url: str) -> None:
    """A hundred concurrent reads succeed over the limited number of connections."""
    cache = _open(redis_url)
    await put(cache, "a", b"1")
    assert await asyncio.gather(*(get(cache, "a") for _ in range(100))) == [b"1"] * 100
    assert cache.circuit_breaker.failures == 0
    await cache.close()


async def test_killed_redis_is_used_again_after_restart(redis_server: RedisServer, clock: Clock) -> None:
    """A killed Redis costs one failed call, and is used again after its restart."""
    cache = _open(redis_server.url)
    cache.circuit_breaker = CircuitBreaker(retry_seconds=0.3, clock=clock)
    await put(cache, "a", b"1")
    redis_server.kill()
    for _ in range(100):
        assert await get(cache, "a") is None
    assert cache.circuit_breaker.failures == 1
    redis_server.start()
    clock.now += 0.3
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"
    await cache.close()


async def test_connection_closed_by_redis_is_reopened(redis_server: RedisServer) -> None:
    """After a restart of Redis the next command opens a new connection, without a failure."""
    cache = _open(redis_server.url)
    await put(cache, "a", b"1")
    redis_server.kill()
    redis_server.start()
    await put(cache, "a", b"2")
    assert await get(cache, "a") == b"2"
    assert cache.circuit_breaker.failures == 0
    await cache.close()


async def test_unresponsive_redis_costs_one_timeout(redis_server: RedisServer, clock: Clock) -> None:
    """A Redis that does not respond costs one timeout, not one per read."""
    cache = _open(redis_server.url, timeout=TIMEOUT)
    await put(cache, "a", b"1")
    redis_server.suspend()
    # On a busy machine the write above may have timed out as well.
    cache.circuit_breaker = CircuitBreaker(clock=clock)
    start = time.perf_counter()
    assert [await get(cache, "a") for _ in range(100)] == [None] * 100
    # A timeout for each read would be twenty seconds.
    assert TIMEOUT <= time.perf_counter() - start < 50 * TIMEOUT
    assert cache.circuit_breaker.failures == 1
    await cache.close()
