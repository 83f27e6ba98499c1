"""Which artifact locations this server reads and writes on behalf of its clients."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gql_server.stores.allowed_roots import AllowedRoots, local_path
from gql_server.stores.uri import kind_of
from schema.ports.errors import UnsupportedByStore
from schema.ports.store_kind import StoreKind

SERVER_SCHEMES: Final = {"mlflow-artifacts", "http", "https"}
"""Schemes of artifacts that an MLflow server serves."""
_LOCAL_STORES: Final = {StoreKind.SQL, StoreKind.FILE}
"""Stores run by the operator of this machine, so that a local path in them is a path on this machine."""


class AccessPolicy:
    """Decides which artifact URIs this server opens.

    Any client that may create an experiment chooses its artifact location, so the location is untrusted:

    - A local folder must be below one of `roots`, which are separated as in PATH. Without roots, local
      folders are opened if the tracking store is a database or a folder, and refused otherwise.
    - Only the server at `server_uri`, by default the tracking server, gets requests with this server's
      credentials.
    """

    def __init__(self, tracking_uri: str, server_uri: str, roots: str) -> None:
        kind = kind_of(tracking_uri)
        self.tracking_uri = tracking_uri
        self.server_uri = server_uri or (tracking_uri if kind is StoreKind.MLFLOW_SERVER else "")
        self._roots = AllowedRoots(roots)
        self._any_folder = not self._roots and kind in _LOCAL_STORES

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
        """Return MLflow's repository for a URI; raise `UnsupportedByStore(message)` if none exists."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - takes seconds
        from mlflow.store.artifact.artifact_repository_registry import (  # noqa: PLC0415
            get_artifact_repository,
        )

        on_server = urlsplit(uri).scheme in SERVER_SCHEMES
        try:
            return get_artifact_repository(
                uri, tracking_uri=self.server_uri if on_server else self.tracking_uri
            )
        except ImportError as error:
            text = f"These artifacts need the Python package {error.name}, which is not installed."
            raise UnsupportedByStore(text) from error
        except MlflowException as error:
            raise UnsupportedByStore(message) from error
