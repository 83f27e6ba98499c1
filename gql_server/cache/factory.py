"""The cache that the settings specify, and a store behind it."""

import os
from hashlib import blake2b
from urllib.parse import urlsplit

import mlflow
from aiocache.base import BaseCache

from gql_server import __version__
from gql_server.cache.cache import Cache
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.ttl import TimeToLive
from gql_server.config.settings import Settings
from schema.ports.artifacts import ArtifactStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Tracking

_SHAPE = 1
"""Counts the changes of what entries look like, so that an older server's are not read."""

_REDIS_ENTRY_BYTES = 8_000_000
"""What a gigabit moves within the time that Redis is waited for."""

_SHARE = 8
"""In memory one entry takes at most this part of all, so that no answer drives all others out."""

_CLIENT_VARIABLES = (
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_WORKSPACE",
)
"""The environment variables that decide as whom MLflow's client authenticates and what it sees."""


def cache_from(settings: Settings) -> Cache:
    """Return the cache that the settings specify; nothing is connected yet."""
    return open_cache(
        settings.cache_url,
        _namespace(settings),
        most_bytes=settings.cache_bytes,
        timeout=settings.cache_timeout,
    )


def cached_store_from(
    settings: Settings, store: Tracking, artifacts: ArtifactStore, cache: Cache
) -> CachedStore:
    """Return a store and its artifacts with the cache before them.

    Records of a database are not cached, only whole responses: unpacking a record takes as long as reading it
    again.
    """
    lifetimes = TimeToLive(
        ended=settings.cache_ended_seconds,
        running=settings.cache_running_seconds,
        experiments=min(max(settings.cache_running_seconds, 10.0), settings.cache_ended_seconds),
    )
    records = store.kind is not StoreKind.SQL
    return CachedStore(
        store, artifacts, cache, lifetimes=lifetimes, records=records, most_points=settings.max_points
    )


def _namespace(settings: Settings) -> str:
    """Return all that a response depends on beside its request, for a Redis that several servers share."""
    limits = (
        *(settings.max_page_size, settings.max_conditions, settings.max_compared_runs),
        *(settings.max_scanned_runs, settings.max_points, settings.max_sampled_points),
        *(settings.max_groups, settings.max_errors),
        *(settings.max_artifacts, settings.artifact_roots, settings.artifacts_uri),
    )
    variables = [os.environ.get(name, "") for name in _CLIENT_VARIABLES]
    uris = (settings.tracking_uri, settings.registry_uri)
    return repr((uris, mlflow.__version__, limits, variables, settings.auth, settings.error_detail))


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
