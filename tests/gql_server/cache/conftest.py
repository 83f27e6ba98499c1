"""Caches in memory and in Redis, and a Redis of the test's own to kill."""

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError

from gql_server.cache.cache import Cache
from gql_server.cache.factory import open_cache
from tests.support.databases import absent
from tests.support.servers import free_port

MOST_BYTES = 10_000_000
START_SECONDS = 10.0


class RedisServer:
    """A Redis on a port of its own, to stop for a while, to kill and to start again."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        message = "redis-server did not start"
        raise RuntimeError(message)

    def hang(self) -> None:
        """Make it take connections and commands without an answer."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Kill it at once."""
        if self._process:
            self._process.kill()
            self._process.wait(START_SECONDS)
            self._process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """Give a running Redis that belongs to the test alone."""
    if not shutil.which("redis-server"):
        absent("redis-server program", FileNotFoundError())
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    """Give an empty cache of each kind."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    cache = open_cache(url, secrets.token_hex(8), most_bytes=MOST_BYTES, timeout=5.0)
    yield cache
    await cache.close()
