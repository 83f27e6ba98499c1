"""Caches in memory and in Redis."""

import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from gql_server.config.limits import CacheLimits
from tests.support.app.cache_stack import CacheStack, make_stack
from tests.support.limits import LIMITS
from tests.support.requirements import skip_or_fail
from tests.support.servers.redis_server import RedisServer

MAX_BYTES = 10_000_000
CACHE_LIMITS: CacheLimits = replace(LIMITS.cache, cache_bytes=MAX_BYTES, cache_timeout=5.0)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a running Redis server that no other test uses."""
    if not shutil.which("redis-server"):
        skip_or_fail("redis-server", FileNotFoundError())
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    """Return an empty cache of each kind."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    cache = open_cache(url, secrets.token_hex(8), CACHE_LIMITS)
    yield cache
    await cache.close()


@pytest.fixture
def stack() -> CacheStack:
    """Return a store with an empty cache."""
    return make_stack()
