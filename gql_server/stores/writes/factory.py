"""The store for changes that the settings specify."""

from functools import partial

from gql_server.config.settings import Settings
from gql_server.config.store import default_tracking_uri
from gql_server.stores.allowed_roots import AllowedRoots
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.schema_check import check_database
from gql_server.stores.mlflow.single_attempt import open_single_attempt_store
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from gql_server.stores.uri import kind_of
from gql_server.stores.writes.write_store import Invalidatable, WriteStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Tracking


def write_store_from(settings: Settings, store: Tracking, cached: Invalidatable) -> WriteStore:
    """Return the settings' store for changes; it invalidates the records of `cached` after each change.

    A database is changed by MLflow's own store, which opens again, or refuses to, when the revision of the
    database changes. Over HTTP, a separate store sends each request once.
    """
    lazy = (
        LazyStore(settings.tracking_uri, identity=store.identity)
        if isinstance(store, LazySqlTracking)
        else LazyStore(
            settings.tracking_uri,
            create=settings.tracking_uri == default_tracking_uri(),
            build=partial(open_single_attempt_store, azure=settings.azure_options),
        )
    )
    # A folder of files has no transactions: with several threads a read could see half of a write.
    threads = 1 if store.kind is StoreKind.FILE else settings.write_threads
    calls = StoreCalls(lazy, threads, max_bytes=settings.max_upstream_bytes, retries=settings.azure_retries)
    roots = AllowedRoots(settings.artifact_roots)
    return WriteStore(calls, store.kind, settings.store_timeout, cached, roots)


def check_writes(settings: Settings) -> None:
    """Raise `StoreConfigError` if changes cannot be made to the settings' database.

    Reading a database needs no particular version of MLflow, changing it does. This blocks.
    """
    if kind_of(settings.tracking_uri) is StoreKind.SQL:
        check_database(settings.tracking_uri)
