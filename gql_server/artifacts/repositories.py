"""The repository that serves an artifact URI."""

from collections.abc import Sequence
from threading import Lock
from typing import Final, Protocol

from cachetools import LRUCache

from gql_server.artifacts.access_policy import SERVER_SCHEMES, AccessPolicy
from gql_server.artifacts.artifact_entry import ArtifactEntry
from gql_server.artifacts.artifact_uri import artifact_scheme
from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.local_repository import LocalRepository
from gql_server.artifacts.proxied_repository import ProxiedRepository
from gql_server.artifacts.remote_repository import RemoteRepository
from gql_server.config.azure import AzureOptions
from gql_server.config.limits import ArtifactLimits
from gql_server.stores.allowed_roots import is_local
from gql_server.stores.azure.plugin_stores import open_workspace_artifacts
from gql_server.stores.uri import kind_of
from schema.ports.errors import UnsupportedByStore
from schema.ports.store_kind import StoreKind

_MAX_OPEN: Final = 128
"""Maximum number of open repositories: each has a client with its connections and credentials."""
_INDIRECT_SCHEMES: Final = {"runs", "models"}
"""Schemes of URIs that refer to other URIs, which `AccessPolicy` would not check."""
_INDIRECT: Final = "These artifacts are at a URI that refers to another URI."
_NOT_IN_ROOTS: Final = "These artifacts are in a folder that this server does not read (GQL_ARTIFACT_ROOTS)."
_NO_SERVER: Final = "These artifacts are on an MLflow server; set GQL_ARTIFACTS_URI to its address."
_OTHER_SERVER: Final = (
    "These artifacts are on another server than that of GQL_ARTIFACTS_URI or the tracking URI."
)
_NO_REPOSITORY: Final = "MLflow has no artifact repository for the URI of these artifacts."


class Repository(Protocol):
    """The artifacts below one URI.

    Its methods block. They raise public errors, and errors that `public_error_from` converts.
    """

    def list_folder(self, parts: Sequence[str], limit: int) -> list[ArtifactEntry]:
        """Return the entries of a folder by path; raise `LimitExceeded` if there are more than `limit`."""
        ...

    def download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        """Return the response to a request for a file; raise `NotFound` if there is none."""
        ...


class Repositories:
    """Opens and caches the repositories that `AccessPolicy` allows.

    In an Azure ML workspace, `timeout` is in seconds for each request.
    """

    def __init__(
        self, policy: AccessPolicy, limits: ArtifactLimits, azure: AzureOptions, timeout: float
    ) -> None:
        self._policy = policy
        self._spool = DownloadSpool(limits.artifact_spool_bytes)
        self._azure = azure
        self._timeout = timeout
        self._max_artifacts = limits.max_artifacts
        self._open: LRUCache[str, Repository] = LRUCache(_MAX_OPEN)
        self._lock = Lock()

    def get(self, uri: str) -> Repository:
        """Return the repository for a URI; raise `UnsupportedByStore` if this server does not read it."""
        with self._lock:
            repository = self._open.get(uri)
        if repository is None:
            # Without the lock, since some repositories request credentials over the network.
            repository = self._make(uri)
            with self._lock:
                self._open[uri] = repository
        return repository

    def _make(self, uri: str) -> Repository:
        scheme, tracking_uri = artifact_scheme(uri), self._policy.tracking_uri
        if is_local(uri):
            return LocalRepository(self._policy.local_folder(uri, _NOT_IN_ROOTS))
        if scheme in SERVER_SCHEMES:
            return self._make_for_server(uri)
        if scheme in _INDIRECT_SCHEMES:
            raise UnsupportedByStore(_INDIRECT)
        if scheme == "azureml" and kind_of(tracking_uri) is StoreKind.AZURE_ML:
            repository = open_workspace_artifacts(
                tracking_uri,
                uri,
                self._azure.credential_timeout,
                timeout=self._timeout,
                max_artifacts=self._max_artifacts,
            )
            return RemoteRepository(repository, self._spool)
        return RemoteRepository(self._policy.open_repository(uri, _NO_REPOSITORY), self._spool)

    def _make_for_server(self, uri: str) -> Repository:
        if not self._policy.server_uri:
            raise UnsupportedByStore(_NO_SERVER)
        if not self._policy.is_on_server(uri):
            raise UnsupportedByStore(_OTHER_SERVER)
        from mlflow.store.artifact.http_artifact_repo import (  # noqa: PLC0415 - takes seconds
            HttpArtifactRepository,
        )

        repository = self._policy.open_repository(uri, _NO_REPOSITORY)
        if not isinstance(repository, HttpArtifactRepository):
            return RemoteRepository(repository, self._spool)
        return ProxiedRepository(repository, self._spool)
