"""From the URI of a run's artifacts to what takes files for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.utils.file_utils import local_file_uri_to_path

from gql_server.artifacts.paths import check_sent
from gql_server.artifacts.receiving import LocalFile, Receiving, SpooledFile
from gql_server.artifacts.roots import Roots, is_local
from gql_server.tracking.uri import kind_of
from schema.errors import UnsupportedByStore
from schema.store_kind import StoreKind

_OF_A_SERVER: Final = {"mlflow-artifacts", "http", "https"}
_REFUSED: Final = {"runs", "models", "azureml"}
"""Schemes that stand for other URIs, which would not be looked at, and that of Azure ML: its plugin writes
nothing, without a word, where it does not know the address of a file."""
_OURS: Final = {StoreKind.SQL, StoreKind.FILE}
"""Stores whose owner is this machine's: only there is a local path one of this machine by itself."""
_NOT_HERE: Final = "The artifacts of this run are at a place that this server does not write to."


class Places:
    """Finds what takes files, as far as this server writes for others.

    Whoever may create an experiment chooses where its artifacts are. So folders of this machine are written
    where they are under one of `roots`, separated as in PATH, or if there is none, where the store is a
    database or a folder; and no server gets a request but `server_uri`, by default the tracking server.
    """

    def __init__(self, tracking_uri: str, *, server_uri: str = "", roots: str = "") -> None:
        kind = kind_of(tracking_uri)
        self._tracking_uri = tracking_uri
        self._server_uri = server_uri or (tracking_uri if kind is StoreKind.MLFLOW_SERVER else "")
        self._roots = Roots(roots)
        self._anywhere = not self._roots and kind in _OURS

    def receive(self, uri: str, parts: Sequence[str]) -> Receiving:
        """Return what takes a file at this path below a URI; UnsupportedByStore where nothing does.

        It blocks, and raises faults or what `fault_of` knows.
        """
        scheme = urlsplit(uri).scheme
        if is_local(uri):
            return LocalFile(self._folder(uri), parts)
        if scheme in _REFUSED or (scheme in _OF_A_SERVER and not self._is_of_server(uri)):
            raise UnsupportedByStore(_NOT_HERE)
        if scheme in _OF_A_SERVER:
            check_sent("/".join(parts))
        tracking_uri = self._server_uri if scheme in _OF_A_SERVER else self._tracking_uri
        return SpooledFile(_repository(uri, tracking_uri), parts)

    def _folder(self, uri: str) -> Path:
        if not self._anywhere and not self._roots.hold(uri):
            raise UnsupportedByStore(_NOT_HERE)
        return Path(local_file_uri_to_path(uri))

    def _is_of_server(self, uri: str) -> bool:
        server, asked = urlsplit(self._server_uri), urlsplit(uri)
        schemes = {server.scheme, "mlflow-artifacts"}
        return bool(self._server_uri) and asked.scheme in schemes and asked.netloc in {"", server.netloc}


def _repository(uri: str, tracking_uri: str) -> Any:
    try:
        return get_artifact_repository(uri, tracking_uri=tracking_uri)
    except ImportError as error:
        message = f"These artifacts need the Python package {error.name}, which is not installed."
        raise UnsupportedByStore(message) from error
    except MlflowException as error:
        raise UnsupportedByStore(_NOT_HERE) from error
