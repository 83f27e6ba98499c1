"""From the settings to the store that they name."""

import os
from typing import Protocol

import mlflow

from gql_server.cache.cache import Cache
from gql_server.cache.connect import open_cache
from gql_server.cache.lifetimes import Lifetimes
from gql_server.settings import Settings, default_tracking_uri
from gql_server.tracking.cached import Cached
from gql_server.tracking.database_store import DatabaseTracking
from gql_server.tracking.mlflow_store import MlflowTracking
from gql_server.tracking.uri import kind_of
from schema.store_kind import StoreKind
from schema.tracking import Tracking

_UPSTREAM = (
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
    uri = settings.tracking_uri
    create = uri == default_tracking_uri()
    if kind_of(uri) is StoreKind.SQL:
        return DatabaseTracking(
            uri,
            threads=settings.database_threads,
            timeout=settings.store_timeout,
            max_points=settings.max_points,
            create=create,
        )
    return MlflowTracking(
        uri,
        threads=settings.store_threads,
        timeout=settings.store_timeout,
        max_scanned_runs=settings.max_scanned_runs,
        max_points=settings.max_points,
        create=create,
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
    bounds = (settings.max_page_size, settings.max_scanned_runs, settings.max_points, settings.max_errors)
    upstream = [os.environ.get(name, "") for name in _UPSTREAM]
    return repr((settings.tracking_uri, settings.registry_uri, mlflow.__version__, bounds, upstream))


def cached(store: Tracking, cache: Cache, settings: Settings) -> Cached:
    """Return the store with the cache before it.

    What a database was asked is not kept, but for whole answers: it costs as much to unpack as to read again.
    """
    lifetimes = Lifetimes(
        ended=settings.cache_ended_seconds,
        running=settings.cache_running_seconds,
        experiments=min(max(settings.cache_running_seconds, 10.0), settings.cache_ended_seconds),
    )
    records = store.kind is not StoreKind.SQL
    return Cached(store, cache, lifetimes=lifetimes, records=records, most_points=settings.max_points)
