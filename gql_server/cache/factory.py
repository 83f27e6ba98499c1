"""From the settings to the cache that they name."""

from hashlib import blake2b
from urllib.parse import urlsplit

from aiocache.base import BaseCache

from gql_server import __version__
from gql_server.cache.cache import Cache
from gql_server.cache.memory_backend import MemoryBackend

_SHAPE = 1
"""Counts the changes of what entries look like, so that an older server's are not read."""

_REDIS_ENTRY_BYTES = 8_000_000
"""What a gigabit moves within the time that Redis is waited for."""

_SHARE = 8
"""In memory one entry takes at most this part of all, so that no answer drives all others out."""


def open_cache(url: str, store: str, *, most_bytes: int, timeout: float) -> Cache:
    """Return the cache at a redis:// or rediss:// URL, or one in memory where the URL is empty.

    Nothing is connected yet. `store` says whose answers these are, the tracking URI and whatever else decides
    what this server sees there: several stores share one Redis and never each other's entries. `most_bytes`
    bounds the memory; Redis has a bound of its own (maxmemory). Raises ValueError for another URL.
    """
    if not url:
        return Cache(MemoryBackend(most_bytes), most_entry_bytes=most_bytes // _SHARE)
    if urlsplit(url).scheme not in {"redis", "rediss"}:
        message = "The cache's URL must begin with redis:// or rediss://."
        raise ValueError(message)
    return Cache(_redis(url, store, timeout), most_entry_bytes=_REDIS_ENTRY_BYTES)


def _redis(url: str, store: str, timeout: float) -> BaseCache:
    # Here, for a cache in memory needs no redis-py.
    from gql_server.cache.redis_backend import RedisBackend  # noqa: PLC0415

    # Digested, since a tracking URI may hold a password.
    own = blake2b(f"{__version__}\n{_SHAPE}\n{store}".encode(), digest_size=16).hexdigest()
    return RedisBackend(url, namespace=f"mlflow-gql:{own}", timeout=timeout)
