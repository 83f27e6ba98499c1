"""Model registries that MLflow's client reads."""

import inspect
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking._model_registry.utils import (
    _get_default_registry_uri_for_tracking_uri,
    _get_store_registry,
)
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from gql_server.config.azure import AzureOptions, AzureSettings
from gql_server.config.limits import StoreLimits
from gql_server.stores.azure.plugin_stores import open_workspace_registry
from gql_server.stores.mlflow.http_settings import configure_http
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.mlflow.registry import MlflowRegistry
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.openable_registry import OpenableRegistry
from gql_server.stores.optional_features import RegistryUnsupported
from gql_server.stores.sql.registry.lazy_sql_registry import LazySqlRegistry
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import folder_of, kind_of, redacted_uri
from schema.ports.store_kind import StoreKind

_FOLDER = "models"
"""The folder of the registry in a file store."""


def registry_at(
    uri: str,
    tracking_uri: str,
    limits: StoreLimits,
    *,
    azure: AzureOptions | None = None,
) -> OpenableRegistry:
    """Return the registry at a URI; without one, MLflow's default for the tracking URI."""
    configured = bool(uri)
    uri = uri or str(_get_default_registry_uri_for_tracking_uri(tracking_uri))
    kind = kind_of(uri)
    if kind is StoreKind.SQL:
        return LazySqlRegistry(uri, limits)
    if kind is not StoreKind.FILE:
        configure_http(limits.store_threads, limits.store_timeout)
    azure = azure or AzureSettings().azure_options
    store = LazyStore(uri, build=lambda _uri, **_: _open(uri, tracking_uri, azure, configured=configured))
    calls = StoreCalls(
        store, limits.store_threads, max_bytes=limits.max_upstream_bytes, retries=azure.retries
    )
    return MlflowRegistry(calls, kind, timeout=limits.store_timeout, max_scanned=limits.max_scanned_runs)


def _open(uri: str, tracking_uri: str, azure: AzureOptions, *, configured: bool) -> Any:
    if kind_of(uri) is StoreKind.AZURE_ML:
        # The plugin's own store would open a browser to sign in.
        return open_workspace_registry(uri, azure.credential_timeout)
    if kind_of(uri) is StoreKind.FILE and not (folder_of(uri) / _FOLDER).is_dir():
        # MLflow would create the folder.
        raise RegistryUnsupported
    try:
        # get_store of MLflow's registry of stores caches a store forever, so that it could not be reopened.
        build = _get_store_registry().get_store_builder(uri)
        takes_both = "tracking_uri" in inspect.signature(build).parameters
        return build(store_uri=uri, tracking_uri=tracking_uri) if takes_both else build(store_uri=uri)
    except UnsupportedModelRegistryStoreURIException as error:
        if not configured:
            raise RegistryUnsupported from error
        message = f"{redacted_uri(uri)}: no installed MLflow plugin has a model registry there."
        raise StoreConfigError(message) from error
    except ImportError as error:
        message = f"{redacted_uri(uri)} needs the Python package {error.name}, which is not installed."
        raise StoreConfigError(message) from error
    except MlflowException as error:
        message = f"{redacted_uri(uri)}: {error.message}"
        raise StoreConfigError(message) from error
