"""Opening of MLflow's own store at a tracking URI."""

import os

from mlflow.exceptions import MlflowException
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking._tracking_service.utils import _tracking_store_registry
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from gql_server.config.azure import AzureOptions, AzureSettings
from gql_server.stores.azure.plugin_stores import open_workspace_store
from gql_server.stores.mlflow.mlflow_sql_store import open_mlflow_sql_store
from gql_server.stores.mlflow.new_sqlite_store import create_sqlite_store
from gql_server.stores.mlflow.schema_check import check_database, silence_database_logs
from gql_server.stores.sql.database.interrupted_write import roll_back_interrupted_write
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import folder_of, kind_of, redacted_uri, scheme_of
from schema.ports.store_kind import StoreKind


def open_store(uri: str, *, create: bool = False, azure: AzureOptions | None = None) -> AbstractStore:
    """Open a store; this blocks, so call it in a worker thread.

    Nothing in a database is created, migrated or altered. With `create`, a SQLite file or a folder of files
    that does not exist is created. Raises `StoreConfigError` if the URI cannot open without a change,
    `StoreUnavailable` if it may open later.
    """
    kind = kind_of(uri)
    if kind is StoreKind.SQL:
        return _open_database(uri, create=create)
    if kind is StoreKind.AZURE_ML:
        return open_workspace_store(uri, (azure or AzureSettings().azure_options).credential_timeout)
    if kind is StoreKind.FILE and not (create or folder_of(uri).is_dir()):
        message = f"{redacted_uri(uri)}: there is no such folder."
        raise StoreConfigError(message)
    return _build(uri)


def _open_database(uri: str, *, create: bool) -> AbstractStore:
    silence_database_logs()
    if create:
        create_sqlite_store(uri)
    roll_back_interrupted_write(uri)
    check_database(uri)
    try:
        return open_mlflow_sql_store(uri)
    except MlflowException as error:
        if error.error_code == "INVALID_STATE":
            message = f"{redacted_uri(uri)}: {error.message}"
            raise StoreConfigError(message) from error
        raise


def _build(uri: str) -> AbstractStore:
    try:
        # The registry's `get_store` caches stores for the life of the process, so that none could be
        # reopened.
        build = _tracking_store_registry.get_store_builder(uri)
        store: AbstractStore = build(store_uri=uri, artifact_uri=None)
    except UnsupportedModelRegistryStoreURIException as error:
        message = f"{redacted_uri(uri)}: no installed MLflow plugin supports the scheme {scheme_of(uri)!r}."
        raise StoreConfigError(message) from error
    except ImportError as error:
        message = f"{redacted_uri(uri)} needs the Python package {error.name}, which is not installed."
        raise StoreConfigError(message) from error
    except MlflowException as error:
        if kind_of(uri) is StoreKind.FILE and os.environ.get("MLFLOW_ALLOW_FILE_STORE") != "true":
            shown = redacted_uri(uri)
            message = f"{shown}: MLflow opens folders of files only if MLFLOW_ALLOW_FILE_STORE=true is set."
            raise StoreConfigError(message) from error
        message = f"{redacted_uri(uri)}: {error.message}"
        raise StoreConfigError(message) from error
    return store
