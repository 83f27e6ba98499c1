"""From a tracking URI to MLflow's own store behind it."""

import logging
import math
import os
from typing import TypeAlias

from mlflow.exceptions import MlflowException
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.tracking._tracking_service.utils import _tracking_store_registry
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from gql_server.config.azure import AzureOptions
from gql_server.runtime.cancellable_http import make_requests_cancellable
from gql_server.stores.azure.plugin_stores import open_workspace
from gql_server.stores.mlflow import schema_check
from gql_server.stores.mlflow.mlflow_sql_store import sql_store
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import folder_of, kind_of, scheme_of, shown, sqlite_file
from schema.ports.errors import StoreUnavailable
from schema.ports.store_kind import StoreKind

Identity: TypeAlias = tuple[int, int] | None
"""What tells a file or folder from another that took its name; None where there is none to watch."""


def open_store(uri: str, *, create: bool = False, azure: AzureOptions | None = None) -> AbstractStore:
    """Open a store; it blocks, so call it in a worker thread.

    Nothing in a database is created, migrated or altered. `create` allows one exception, a SQLite file or a
    folder of files that is not there yet. Raises `StoreConfigError` where the URI never will open,
    `StoreUnavailable` where it may later.
    """
    kind = kind_of(uri)
    if kind is StoreKind.SQL:
        return _open_sql(uri, create=create)
    if kind is StoreKind.AZURE_ML:
        return open_workspace(uri, (azure or AzureOptions()).credential_timeout)
    if kind is StoreKind.FILE and not (create or folder_of(uri).is_dir()):
        message = f"{shown(uri)}: there is no such folder."
        raise StoreConfigError(message)
    return _build(uri)


def prepare_http(threads: int, timeout: float) -> None:
    """Make requests stoppable and silent, and set what MLflow reads before each, where the user has not.

    MLflow's own defaults wait 120 seconds for an answer and try seven times over four minutes: longer than
    anybody waits for a page. One retry stays, for a connection that the server closed while it was idle. An
    hour in a `Retry-After` would be slept through in the thread, where nothing can end it.
    """
    make_requests_cancellable()
    # What it says holds addresses, and so the names that were asked for.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(math.ceil(timeout)))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    os.environ.setdefault("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", "false")
    os.environ.setdefault("MLFLOW_HTTP_POOL_MAXSIZE", str(threads))


def identity(uri: str) -> Identity:
    """Say which file or folder a local store is now; raise `StoreUnavailable` where it is gone.

    An open connection goes on reading a SQLite file that was deleted, or that another took the place of.
    """
    kind = kind_of(uri)
    path = sqlite_file(schema_check.parsed(uri)) if kind is StoreKind.SQL else None
    path = folder_of(uri) if kind is StoreKind.FILE else path
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError as error:
        message = "The tracking store is not there any more."
        raise StoreUnavailable(message) from error
    return status.st_dev, status.st_ino


def _open_sql(uri: str, *, create: bool) -> AbstractStore:
    schema_check.quieten()
    path = sqlite_file(schema_check.parsed(uri))
    fresh = create and path is not None and not path.exists()
    if fresh:
        schema_check.create(uri)
    schema_check.check(uri)
    artifacts = os.environ.get("_MLFLOW_SERVER_ARTIFACT_ROOT", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
    try:
        return sql_store(uri, artifacts, default_experiment=fresh)
    except MlflowException as error:
        if error.error_code == "INVALID_STATE":
            message = f"{shown(uri)}: {error.message}"
            raise StoreConfigError(message) from error
        raise


def _build(uri: str) -> AbstractStore:
    try:
        # The registry's own get_store keeps what it built for ever: a store could never be opened anew.
        build = _tracking_store_registry.get_store_builder(uri)
        store: AbstractStore = build(store_uri=uri, artifact_uri=None)
    except UnsupportedModelRegistryStoreURIException as error:
        raise StoreConfigError(_unknown(uri)) from error
    except ImportError as error:
        message = f"{shown(uri)} needs the Python package {error.name}, which is not installed."
        raise StoreConfigError(message) from error
    except MlflowException as error:
        if kind_of(uri) is StoreKind.FILE and os.environ.get("MLFLOW_ALLOW_FILE_STORE") != "true":
            message = (
                f"{shown(uri)}: MLflow opens folders of files only with MLFLOW_ALLOW_FILE_STORE=true set."
            )
            raise StoreConfigError(message) from error
        message = f"{shown(uri)}: {error.message}"
        raise StoreConfigError(message) from error
    return store


def _unknown(uri: str) -> str:
    return f"{shown(uri)}: no MLflow plugin that is installed knows the scheme {scheme_of(uri)!r}."
