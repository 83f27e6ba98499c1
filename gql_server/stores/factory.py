"""The stores that the settings specify.

The modules that import MLflow, which takes seconds, are imported only for the stores that need it.
"""

# ruff: noqa: PLC0415

from typing import Protocol

from gql_server.config.settings import Settings
from gql_server.config.store import default_tracking_uri
from gql_server.stores.openable_registry import OpenableRegistry
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from gql_server.stores.sql.registry.lazy_sql_registry import LazySqlRegistry
from gql_server.stores.uri import kind_of
from schema.ports.store_kind import StoreKind
from schema.ports.tracking import Tracking


class OpenableTracking(Tracking, Protocol):
    """A store that can be opened before it is used, to find errors in its configuration."""

    async def open(self) -> None:
        """Open the store; raise `StoreConfigError` for an error in configuration that no retry fixes."""
        ...


def store_from(settings: Settings) -> OpenableTracking:
    """Return the store at the settings' tracking URI; it opens with its first use.

    A store that does not exist is created only if it is MLflow's own default store, as MLflow itself does.
    """
    registry = _separate_registry(settings)
    if kind_of(settings.tracking_uri) is StoreKind.SQL:
        return LazySqlTracking(
            settings.tracking_uri,
            settings.limits.store,
            create=_is_default,
            registry=registry,
            writable=settings.writable,
        )
    return _mlflow_store(settings, registry)


def _is_default(uri: str) -> bool:
    return uri == default_tracking_uri()


def _mlflow_store(settings: Settings, registry: OpenableRegistry | None) -> OpenableTracking:
    from gql_server.stores.mlflow.pass_through_tracking import PassThroughTracking
    from gql_server.stores.mlflow.tracking import MlflowTracking

    store_class = MlflowTracking
    if settings.auth == "pass-through":
        from gql_server.auth.pass_through import pass_credentials_through

        pass_credentials_through()
        store_class = PassThroughTracking
    uri = settings.tracking_uri
    return store_class(
        uri,
        settings.limits.store,
        create=_is_default(uri),
        registry=registry,
        azure=settings.azure_options,
    )


def _separate_registry(settings: Settings) -> OpenableRegistry | None:
    uri, limits = settings.registry_uri, settings.limits.store
    if uri in {"", settings.tracking_uri}:
        return None
    if kind_of(uri) is StoreKind.SQL:
        return LazySqlRegistry(uri, limits)
    from gql_server.stores.mlflow.registry_opening import registry_at

    return registry_at(uri, settings.tracking_uri, limits, azure=settings.azure_options)
