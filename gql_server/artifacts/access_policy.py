"""Which places of artifacts this server reads and writes for others."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.file_utils import local_file_uri_to_path

from gql_server.stores.allowed_roots import AllowedRoots
from gql_server.stores.uri import kind_of
from schema.ports.errors import UnsupportedByStore
from schema.ports.store_kind import StoreKind

OF_A_SERVER: Final = {"mlflow-artifacts", "http", "https"}
"""Schemes of what an MLflow server hands out."""
_OURS: Final = {StoreKind.SQL, StoreKind.FILE}
"""Stores whose owner is this machine's: only there is a local path one of this machine by itself."""


class AccessPolicy:
    """How far this server goes: whoever may create an experiment chooses where its artifacts are.

    So folders of this machine are used where they are under one of `roots`, separated as in PATH, or if there
    is none, where the tracking store is a database or a folder; and no server gets a request with this one's
    credentials but `server_uri`, by default the tracking server.
    """

    def __init__(self, tracking_uri: str, server_uri: str, roots: str) -> None:
        kind = kind_of(tracking_uri)
        self.tracking_uri = tracking_uri
        self.server_uri = server_uri or (tracking_uri if kind is StoreKind.MLFLOW_SERVER else "")
        self._roots = AllowedRoots(roots)
        self._anywhere = not self._roots and kind in _OURS

    def folder(self, uri: str, refusal: str) -> Path:
        """Return the folder at a local URI; UnsupportedByStore, in these words, where it is out of reach."""
        if not self._anywhere and not self._roots.hold(uri):
            raise UnsupportedByStore(refusal)
        return Path(local_file_uri_to_path(uri))

    def is_of_server(self, uri: str) -> bool:
        """Say whether a URI is one of the server's artifacts; there may be no server."""
        server, asked = urlsplit(self.server_uri), urlsplit(uri)
        schemes = {server.scheme, "mlflow-artifacts"}
        return bool(self.server_uri) and asked.scheme in schemes and asked.netloc in {"", server.netloc}

    def repository(self, uri: str, refusal: str) -> Any:
        """Return MLflow's repository at a URI; UnsupportedByStore, in these words, where it has none."""
        own = urlsplit(uri).scheme in OF_A_SERVER
        try:
            return get_artifact_repository(uri, tracking_uri=self.server_uri if own else self.tracking_uri)
        except ImportError as error:
            message = f"These artifacts need the Python package {error.name}, which is not installed."
            raise UnsupportedByStore(message) from error
        except MlflowException as error:
            raise UnsupportedByStore(refusal) from error
