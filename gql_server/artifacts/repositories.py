"""From the URI of artifacts to the repository that holds them."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final, Protocol
from urllib.parse import urlsplit

from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

from gql_server.artifacts.access_policy import OF_A_SERVER, AccessPolicy
from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.entry import Entry
from gql_server.artifacts.local_repository import LocalRepository
from gql_server.artifacts.proxied_repository import ProxiedRepository
from gql_server.artifacts.range_response import FileContent, FileRequest
from gql_server.artifacts.remote_repository import RemoteRepository
from gql_server.config.azure import AzureOptions
from gql_server.stores.allowed_roots import is_local
from gql_server.stores.azure.plugin_stores import open_artifacts
from gql_server.stores.uri import kind_of
from schema.ports.errors import UnsupportedByStore
from schema.ports.store_kind import StoreKind

_MOST_KEPT: Final = 128
"""Repositories kept open: each has a client with connections and credentials of its own."""
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

    def deliver(self, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        """Answer a request for a file; NotFound where there is none."""
        ...


class Repositories:
    """Opens repositories, as far as this server reads them for others: see `AccessPolicy`.

    `spool_bytes` bounds the files that are fetched as a whole. Of a workspace of Azure ML, `timeout` is in
    seconds for each answer and `most` bounds a run's artifacts.
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
        self._reach = AccessPolicy(tracking_uri, server_uri, roots)
        self._spool = DownloadSpool(spool_bytes)
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
        scheme, tracking_uri = urlsplit(uri).scheme, self._reach.tracking_uri
        if is_local(uri):
            return LocalRepository(self._reach.folder(uri, _NO_ROOT))
        if scheme in OF_A_SERVER:
            return self._of_server(uri)
        if scheme in _INDIRECT:
            raise UnsupportedByStore(_INDIRECTLY)
        if scheme == "azureml" and kind_of(tracking_uri) is StoreKind.AZURE_ML:
            patience = self._azure.credential_timeout
            repository = open_artifacts(tracking_uri, uri, patience, timeout=self._timeout, most=self._most)
            return RemoteRepository(repository, self._spool)
        return RemoteRepository(self._reach.repository(uri, _NO_REPOSITORY), self._spool)

    def _of_server(self, uri: str) -> Repository:
        if not self._reach.server_uri:
            raise UnsupportedByStore(_NO_SERVER)
        if not self._reach.is_of_server(uri):
            raise UnsupportedByStore(_OTHER_SERVER)
        repository = self._reach.repository(uri, _NO_REPOSITORY)
        if not isinstance(repository, HttpArtifactRepository):
            return RemoteRepository(repository, self._spool)
        return ProxiedRepository(repository, self._spool)
