"""Which artifact locations this server reads and writes on behalf of its clients."""

import logging
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gql_server.artifacts.artifact_uri import artifact_scheme
from gql_server.artifacts.storage_errors import storage_errors_as_public
from gql_server.stores.allowed_roots import AllowedRoots, local_path
from gql_server.stores.uri import kind_of
from schema.ports.errors import PublicError, UnsupportedByStore
from schema.ports.store_kind import StoreKind

SERVER_SCHEMES: Final = {"mlflow-artifacts", "http", "https"}
"""Schemes of artifacts that an MLflow server serves."""
_OWN_STORES: Final = {"azureml": StoreKind.AZURE_ML, "dbfs": StoreKind.OTHER}
"""The kind of tracking store of each scheme that its plugin reads with the credentials of that store.

Over another store, Azure ML's plugin would send a token to the host in the URI, and Databricks' repository
would look its credentials up in MLflow's default store, which it creates.
"""
_LOCAL_STORES: Final = {StoreKind.SQL, StoreKind.FILE}
"""Stores run by the operator of this machine, so that a local path in them is a path on this machine."""

_log = logging.getLogger(__name__)


class AccessPolicy:
    """Decides which artifact URIs this server opens.

    Any client that may create an experiment chooses its artifact location, so the location is untrusted:

    - A local folder must be below one of `roots`, which are separated as in PATH. Without roots, local
      folders are opened if the tracking store is a database or a folder and only this machine can connect to
      this server, and refused otherwise: others may write to the store.
    - Only the server at `server_uri`, by default the tracking server, gets requests with this server's
      credentials.
    """

    def __init__(
        self, tracking_uri: str, server_uri: str, roots: str, *, is_local_server: bool = True
    ) -> None:
        kind = kind_of(tracking_uri)
        self.tracking_uri = tracking_uri
        self.server_uri = server_uri or (tracking_uri if kind is StoreKind.MLFLOW_SERVER else "")
        self._roots = AllowedRoots(roots)
        self._any_folder = not self._roots and kind in _LOCAL_STORES and is_local_server

    def local_folder(self, uri: str, message: str) -> Path:
        """Return the folder of a local URI; raise `UnsupportedByStore(message)` if not allowed."""
        if not self._any_folder and not self._roots.contain(uri):
            raise UnsupportedByStore(message)
        return local_path(uri)

    def is_on_server(self, uri: str) -> bool:
        """Return whether the MLflow server at `server_uri` serves a URI; False without such a server."""
        server, target = urlsplit(self.server_uri), urlsplit(uri)
        schemes = {server.scheme, "mlflow-artifacts"}
        return bool(self.server_uri) and target.scheme in schemes and target.netloc in {"", server.netloc}

    def open_repository(self, uri: str, message: str) -> Any:
        """Return MLflow's repository for a URI.

        Raises `UnsupportedByStore(message)` if there is none or the URI is not one that it reads, and other
        public errors.
        """
        scheme = artifact_scheme(uri)
        if scheme in _OWN_STORES and kind_of(self.tracking_uri) is not _OWN_STORES[scheme]:
            raise UnsupportedByStore(message)
        from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415 - takes seconds
            get_artifact_repository,
        )

        tracking_uri = self.server_uri if scheme in SERVER_SCHEMES else self.tracking_uri
        try:
            with storage_errors_as_public():
                return get_artifact_repository(uri, tracking_uri=tracking_uri)
        except PublicError:
            raise
        except Exception as error:
            # A repository reads the URI when it is made, and each has other errors for one that it cannot.
            _log.warning("cannot open the artifact URI %.300r: %s", uri, type(error).__name__)
            raise UnsupportedByStore(message) from error
