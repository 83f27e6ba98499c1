"""The cache that the settings specify, and a store behind it."""

import os
from hashlib import blake2b
from urllib.parse import urlsplit

from gql_server import __version__
from gql_server.cache.cache import Cache
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.ttl import TimeToLive
from gql_server.config.limits import CacheLimits
from gql_server.config.mlflow_version import MLFLOW_VERSION
from gql_server.config.settings import Settings
from schema.ports.artifacts import ArtifactStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Tracking

_FORMAT_VERSION = 5
"""Incremented when the format of entries changes, so that entries of older servers are not read."""

_MAX_REDIS_ENTRY_BYTES = 8_000_000
"""What a gigabit network transfers within the default timeout of Redis."""

_MAX_ENTRY_DIVISOR = 8
"""An entry in memory takes up to an eighth of the cache, so that one response does not evict all others."""

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
    return open_cache(settings.cache_url, _data_identity(settings), settings.limits.cache)


def cached_store_from(
    settings: Settings, store: Tracking, artifacts: ArtifactStore, cache: Cache
) -> CachedStore:
    """Return a store and its artifacts with the cache before them.

    Records of a database are not cached, only whole responses: deserializing a record takes as long as
    reading it again.
    """
    return CachedStore(
        store,
        artifacts,
        cache,
        ttl=TimeToLive.from_limits(settings.limits.cache),
        max_points=settings.max_points,
        cache_records=store.kind is not StoreKind.SQL,
    )


def open_cache(url: str, data_identity: str, limits: CacheLimits) -> Cache:
    """Return the cache at a redis:// or rediss:// URL, or one in memory if the URL is empty.

    Nothing is connected yet. Servers with the same `data_identity` share the entries in one Redis, others do
    not. `cache_bytes` limits the memory; Redis has its own limit, maxmemory. Raises ValueError for other
    URLs.
    """
    if not url:
        backend = MemoryBackend(limits.cache_bytes)
        return Cache(backend, max_entry_bytes=limits.cache_bytes // _MAX_ENTRY_DIVISOR)
    if urlsplit(url).scheme not in {"redis", "rediss"}:
        message = "The cache's URL must begin with redis:// or rediss://."
        raise ValueError(message)
    # Imported here, since a cache in memory does not need redis-py.
    from gql_server.cache.redis_backend import RedisBackend  # noqa: PLC0415

    namespace = _namespace(data_identity)
    return Cache(
        RedisBackend(url, namespace=namespace, timeout=limits.cache_timeout),
        max_entry_bytes=_MAX_REDIS_ENTRY_BYTES,
    )


def _data_identity(settings: Settings) -> str:
    """Return what a response depends on in addition to its request, for a Redis shared by servers."""
    limits = (
        *(settings.max_page_size, settings.max_conditions, settings.max_compared_runs),
        *(settings.max_scanned_runs, settings.max_points, settings.max_sampled_points),
        *(settings.max_groups, settings.max_errors),
        *(settings.max_artifacts, settings.artifact_roots, settings.artifacts_uri),
        settings.is_local_server,
    )
    variables = [os.environ.get(name, "") for name in _CLIENT_VARIABLES]
    uris = (settings.tracking_uri, settings.registry_uri)
    return repr((uris, MLFLOW_VERSION, limits, variables, settings.auth, settings.error_detail))


def _namespace(data_identity: str) -> str:
    # Hashed, since a tracking URI may contain a password.
    text = f"{__version__}\n{_FORMAT_VERSION}\n{data_identity}"
    return f"mlflow-gql:{blake2b(text.encode(), digest_size=16).hexdigest()}"
