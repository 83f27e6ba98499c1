"""From the settings to the model registry, where it is not in the tracking store itself."""

import asyncio
import inspect
from typing import Any, Protocol

from mlflow.exceptions import MlflowException
from mlflow.tracking._model_registry.utils import (
    _get_default_registry_uri_for_tracking_uri,
    _get_store_registry,
)
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
from sqlalchemy import Engine

from gql_server.config.azure import AzureOptions, AzureSettings
from gql_server.config.limits import StoreLimits
from gql_server.stores.azure.plugin_stores import open_workspace_registry
from gql_server.stores.mlflow.http_settings import configure_http
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.registry import MlflowRegistry
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.optional_features import RegistryUnsupported
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import folder_of, kind_of, shown
from gql_server.stores.workspaces import workspace_of_request
from schema.ports.registry import RegistryStore
from schema.ports.store_kind import StoreKind

_FOLDER = "models"
"""Where a folder of files has its registry."""


class OpenableRegistry(RegistryStore, Protocol):
    """A registry that can be opened before it is used, to see whether it ever will be."""

    async def open(self) -> None:
        """Open the registry; raise `StoreConfigError` where someone has to mend something first."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


class DatabaseRegistry(SqlRegistry):
    """The registry in a database of its own; it opens with its first use, as a tracking store does."""

    def __init__(self, uri: str, limits: StoreLimits) -> None:
        self._store = LazyStore(uri)
        super().__init__(
            SessionPool(self._engine, limits.store_threads, limits.store_timeout, workspace_of_request())
        )

    async def open(self) -> None:
        """Open the database; raises `StoreConfigError` or `StoreUnavailable`."""
        await asyncio.to_thread(self._store.get)

    async def close(self) -> None:
        """Let go of threads and connections."""
        await self._pool.close()
        await asyncio.to_thread(self._store.close)

    def _engine(self) -> Engine:
        engine: Engine = self._store.get().engine  # type: ignore[attr-defined]
        return engine


def registry_at(
    uri: str,
    tracking_uri: str,
    limits: StoreLimits,
    *,
    azure: AzureOptions | None = None,
) -> OpenableRegistry:
    """Return the registry at a URI; at MLflow's default for the tracking URI where it is empty."""
    named = bool(uri)
    uri = uri or str(_get_default_registry_uri_for_tracking_uri(tracking_uri))
    kind = kind_of(uri)
    if kind is StoreKind.SQL:
        return DatabaseRegistry(uri, limits)
    if kind is not StoreKind.FILE:
        configure_http(limits.store_threads, limits.store_timeout)
    azure = azure or AzureSettings().azure_options
    store = LazyStore(uri, build=lambda _uri, **_: _open(uri, tracking_uri, azure, named=named))
    calls = StoreCalls(store, limits.store_threads, azure.retries)
    return MlflowRegistry(calls, kind, timeout=limits.store_timeout, max_scanned=limits.max_scanned_runs)


def _open(uri: str, tracking_uri: str, azure: AzureOptions, *, named: bool) -> Any:
    if kind_of(uri) is StoreKind.AZURE_ML:
        # The plugin's own would ask a person for credentials.
        return open_workspace_registry(uri, azure.credential_timeout)
    if kind_of(uri) is StoreKind.FILE and not (folder_of(uri) / _FOLDER).is_dir():
        # MLflow would make it.
        raise RegistryUnsupported
    try:
        # The registry's own get_store keeps what it built for ever: a store could never be opened anew.
        build = _get_store_registry().get_store_builder(uri)
        takes_both = "tracking_uri" in inspect.signature(build).parameters
        return build(store_uri=uri, tracking_uri=tracking_uri) if takes_both else build(store_uri=uri)
    except UnsupportedModelRegistryStoreURIException as error:
        if not named:
            raise RegistryUnsupported from error
        message = f"{shown(uri)}: no MLflow plugin that is installed has a model registry there."
        raise StoreConfigError(message) from error
    except ImportError as error:
        message = f"{shown(uri)} needs the Python package {error.name}, which is not installed."
        raise StoreConfigError(message) from error
    except MlflowException as error:
        message = f"{shown(uri)}: {error.message}"
        raise StoreConfigError(message) from error
