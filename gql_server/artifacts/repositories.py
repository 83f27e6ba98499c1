"""From the URI of artifacts to the repository that holds them."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.utils.file_utils import local_file_uri_to_path

from gql_server.artifacts.delivery import Delivery, Wanted
from gql_server.artifacts.entry import Entry
from gql_server.artifacts.local import LocalRepository
from gql_server.artifacts.proxied import ProxiedRepository
from gql_server.artifacts.remote import RemoteRepository
from gql_server.artifacts.roots import Roots, is_local
from gql_server.artifacts.spool import Spool
from gql_server.tracking.azure.opening import open_artifacts
from gql_server.tracking.azure.options import AzureOptions
from gql_server.tracking.uri import kind_of
from schema.errors import UnsupportedByStore
from schema.store_kind import StoreKind

_MOST_KEPT: Final = 128
"""Repositories kept open: each has a client with connections and credentials of its own."""
_OF_A_SERVER: Final = {"mlflow-artifacts", "http", "https"}
_INDIRECT: Final = {"runs", "models"}
"""Schemes that stand for other URIs, which would not be looked at."""
_INDIRECTLY: Final = "These artifacts are at a URI that stands for another one."
_NO_ROOT: Final = "These artifacts are in a folder that this server does not read (GQL_ARTIFACT_ROOTS)."
_NO_SERVER: Final = "These artifacts are kept by an MLflow server; GQL_ARTIFACTS_URI has to say which."
_OTHER_SERVER: Final = (
    "These artifacts are kept by another server than GQL_ARTIFACTS_URI or the tracking URI."
)
_NO_REPOSITORY: Final = "These artifacts are at a URI that MLflow has no repository for."


class Repository(Protocol):
    """The artifacts under one URI; the methods block, and raise faults or what `fault_of` knows."""

    def listing(self, parts: Sequence[str], most: int) -> list[Entry]:
        """Return what is in a folder by path; LimitExceeded where that is more than `most`."""
        ...

    def deliver(self, parts: Sequence[str], wanted: Wanted) -> Delivery:
        """Answer a request for a file; NotFound where there is none."""
        ...


class Repositories:
    """Opens repositories, as far as this server reads them for others.

    Whoever may create an experiment chooses where its artifacts are. So folders of this machine are read
    where they are under one of `roots` or, if there is none, where the tracking store is a database or a
    folder, whose owner is this machine's; and no server gets a request with this one's credentials but
    `server_uri`, by default the tracking server. `spool_bytes` bounds the files that are fetched as a whole.
    Of a workspace of Azure ML, `timeout` is in seconds for each answer and `most` bounds a run's artifacts.
    """

    def __init__(
        self,
        tracking_uri: str = "",
        *,
        server_uri: str = "",
        roots: str = "",
        spool_bytes: int = 4_000_000_000,
        azure: AzureOptions | None = None,
        timeout: float = 30.0,
        most: int = 50_000,
    ) -> None:
        kind = kind_of(tracking_uri)
        self._server_uri = server_uri or (tracking_uri if kind is StoreKind.MLFLOW_SERVER else "")
        self._tracking_uri = tracking_uri
        self._roots = Roots(roots)
        self._anywhere = not self._roots and kind in {StoreKind.SQL, StoreKind.FILE}
        self._spool = Spool(spool_bytes)
        self._azure = azure or AzureOptions()
        self._timeout = timeout
        self._most = most
        self._kept: OrderedDict[str, Repository] = OrderedDict()
        self._lock = Lock()

    def get(self, uri: str) -> Repository:
        """Return the repository at a URI; UnsupportedByStore where this server has no way to read it."""
        with self._lock:
            kept = self._kept.get(uri)
        # Outside of the lock, for some ask for credentials far away.
        found = kept or self._open(uri)
        with self._lock:
            self._kept[uri] = found
            self._kept.move_to_end(uri)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found

    def _open(self, uri: str) -> Repository:
        scheme = urlsplit(uri).scheme
        if is_local(uri):
            return self._local(uri)
        if scheme in _OF_A_SERVER:
            return self._of_server(uri)
        if scheme in _INDIRECT:
            raise UnsupportedByStore(_INDIRECTLY)
        if scheme == "azureml" and kind_of(self._tracking_uri) is StoreKind.AZURE_ML:
            patience = self._azure.credential_timeout
            repository = open_artifacts(
                self._tracking_uri, uri, patience, timeout=self._timeout, most=self._most
            )
            return RemoteRepository(repository, self._spool)
        return RemoteRepository(self._repository(uri, self._tracking_uri), self._spool)

    def _local(self, uri: str) -> Repository:
        if not self._anywhere and not self._roots.hold(uri):
            raise UnsupportedByStore(_NO_ROOT)
        return LocalRepository(Path(local_file_uri_to_path(uri)))

    def _of_server(self, uri: str) -> Repository:
        server, asked = urlsplit(self._server_uri), urlsplit(uri)
        if not self._server_uri:
            raise UnsupportedByStore(_NO_SERVER)
        schemes = {server.scheme, "mlflow-artifacts"}
        if asked.scheme not in schemes or asked.netloc not in {"", server.netloc}:
            raise UnsupportedByStore(_OTHER_SERVER)
        repository = self._repository(uri, self._server_uri)
        if not isinstance(repository, HttpArtifactRepository):
            return RemoteRepository(repository, self._spool)
        return ProxiedRepository(repository, self._spool)

    def _repository(self, uri: str, tracking_uri: str) -> Any:
        try:
            return get_artifact_repository(uri, tracking_uri=tracking_uri)
        except ImportError as error:
            message = f"These artifacts need the Python package {error.name}, which is not installed."
            raise UnsupportedByStore(message) from error
        except MlflowException as error:
            raise UnsupportedByStore(_NO_REPOSITORY) from error
