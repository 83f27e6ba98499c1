"""From the settings to the store that they name."""

import os
from functools import partial
from typing import Protocol

import mlflow

from gql_server.artifacts.allowed_roots import AllowedRoots
from gql_server.artifacts.repositories import Repositories
from gql_server.artifacts.service import ArtifactService
from gql_server.auth.pass_through import pass_credentials_through
from gql_server.cache.cache import Cache
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.factory import open_cache
from gql_server.cache.ttl import TimeToLive
from gql_server.config.azure import AzureOptions
from gql_server.config.settings import Settings
from gql_server.config.store import default_tracking_uri
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.open_store import prepare_http
from gql_server.stores.mlflow.pass_through_tracking import PassThroughTracking
from gql_server.stores.mlflow.single_attempt import open_sending_once
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.registry_factory import OpenableRegistry, registry_at
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from gql_server.stores.uri import kind_of
from gql_server.stores.writes.write_store import WriteStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Tracking

_UPSTREAM = (
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_TOKEN_CREDENTIALS",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_ENABLE_WORKSPACES",
    "MLFLOW_WORKSPACE",
)
"""The variables by which MLflow's client decides who it is and what it sees."""


class Openable(Tracking, Protocol):
    """A store that can be opened before it is used, to see whether it ever will be."""

    async def open(self) -> None:
        """Open the store; raise `Unusable` where someone has to mend something first."""
        ...


def connect(settings: Settings) -> Openable:
    """Return the store at the settings' tracking URI; it is opened with its first use.

    Only MLflow's own default store is made where it is not there yet, as MLflow itself would.
    """
    if settings.auth == "pass-through":
        pass_credentials_through()
    store = _tracking(settings)
    store.artifacts = access_to(store, settings)
    return store


def access_to(tracking: Tracking, settings: Settings) -> ArtifactService:
    """Return the way to the artifacts of a store's runs and models."""
    if settings.artifacts_uri:
        prepare_http(settings.store_threads, settings.store_timeout)
    repositories = Repositories(
        settings.tracking_uri,
        server_uri=settings.artifacts_uri,
        roots=settings.artifact_roots,
        spool_bytes=settings.artifact_spool_bytes,
        azure=_azure(settings),
        timeout=settings.store_timeout,
        most=settings.max_artifacts,
    )
    return ArtifactService(
        tracking,
        repositories,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        patience=settings.download_timeout,
        most=settings.max_artifacts,
    )


def _tracking(settings: Settings) -> LazySqlTracking | MlflowTracking:
    uri = settings.tracking_uri
    registry = _other_registry(settings)
    create = uri == default_tracking_uri()
    if kind_of(uri) is StoreKind.SQL:
        return LazySqlTracking(
            uri,
            threads=settings.database_threads,
            timeout=settings.store_timeout,
            max_points=settings.max_points,
            max_groups=settings.max_groups,
            max_sampled_points=settings.max_sampled_points,
            create=create,
            registry=registry,
        )
    family = PassThroughTracking if settings.auth == "pass-through" else MlflowTracking
    return family(
        uri,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        max_scanned_runs=settings.max_scanned_runs,
        max_points=settings.max_points,
        max_groups=settings.max_groups,
        max_sampled_points=settings.max_sampled_points,
        create=create,
        registry=registry,
        azure=_azure(settings),
    )


def _azure(settings: Settings) -> AzureOptions:
    return AzureOptions(
        edition=settings.azure_edition,
        retries=settings.azure_retries,
        credential_timeout=settings.azure_credential_timeout,
    )


def _other_registry(settings: Settings) -> OpenableRegistry | None:
    if settings.registry_uri in {"", settings.tracking_uri}:
        return None
    return registry_at(
        settings.registry_uri,
        settings.tracking_uri,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        max_scanned=settings.max_scanned_runs,
        azure=_azure(settings),
    )


def cache_of(settings: Settings) -> Cache:
    """Return the cache that the settings name; nothing is connected yet."""
    return open_cache(
        settings.cache_url,
        _whose_answers(settings),
        most_bytes=settings.cache_bytes,
        timeout=settings.cache_timeout,
    )


def _whose_answers(settings: Settings) -> str:
    """Return all that answers depend on beside the question, for a Redis that several servers share."""
    bounds = (
        *(settings.max_page_size, settings.max_conditions, settings.max_compared_runs),
        *(settings.max_scanned_runs, settings.max_points, settings.max_sampled_points),
        *(settings.max_groups, settings.max_errors),
        *(settings.max_artifacts, settings.artifact_roots, settings.artifacts_uri),
    )
    upstream = [os.environ.get(name, "") for name in _UPSTREAM]
    uris = (settings.tracking_uri, settings.registry_uri)
    return repr((uris, mlflow.__version__, bounds, upstream, settings.auth, settings.hints))


def writer(store: Tracking, kept: CachedStore, settings: Settings) -> WriteStore:
    """Return the settings' store for changes; `kept` is what has to forget them.

    A database is the one that is read; over HTTP it is a store of its own, which sends each request once.
    """
    lazy = (
        store.lazy_store
        if isinstance(store, LazySqlTracking)
        else LazyStore(
            settings.tracking_uri,
            create=settings.tracking_uri == default_tracking_uri(),
            build=partial(open_sending_once, azure=_azure(settings)),
        )
    )
    # A folder of files has no transactions, and what is half written would be read as a whole.
    threads = 1 if store.kind is StoreKind.FILE else settings.write_threads
    calls = StoreCalls(lazy, threads, settings.azure_retries)
    roots = AllowedRoots(settings.artifact_roots)
    return WriteStore(calls, store.kind, settings.store_timeout, kept, roots)


def cached(store: Tracking, cache: Cache, settings: Settings) -> CachedStore:
    """Return the store with the cache before it.

    What a database was asked is not kept, but for whole answers: it costs as much to unpack as to read again.
    """
    lifetimes = TimeToLive(
        ended=settings.cache_ended_seconds,
        running=settings.cache_running_seconds,
        experiments=min(max(settings.cache_running_seconds, 10.0), settings.cache_ended_seconds),
    )
    records = store.kind is not StoreKind.SQL
    return CachedStore(store, cache, lifetimes=lifetimes, records=records, most_points=settings.max_points)
