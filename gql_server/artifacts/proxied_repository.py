"""Artifacts that an MLflow server serves: its responses are streamed to the client."""

import posixpath
from collections.abc import Iterator, Sequence
from copy import copy
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from typing_extensions import override

from gql_server.artifacts.artifact_entry import ArtifactEntry
from gql_server.artifacts.artifact_path import is_server_path
from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.open_file import CHUNK_BYTES
from gql_server.artifacts.remote_repository import RemoteRepository
from gql_server.stores.not_mlflow_error import NotMlflowError
from schema.ports.errors import (
    Forbidden,
    NotFound,
    PublicError,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedByStore,
)

_REQUEST_HEADERS: Final = ("range", "if-range", "if-none-match", "if-modified-since")
_RESPONSE_HEADERS: Final = ("accept-ranges", "content-length", "content-range", "etag", "last-modified")
_PASSED_STATUSES: Final = {
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.NOT_MODIFIED,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_ERRORS: Final[dict[int, PublicError]] = {
    HTTPStatus.BAD_REQUEST: NotFound("This path is not a file that can be downloaded."),
    HTTPStatus.UNAUTHORIZED: Unauthenticated("The MLflow server did not accept the credentials."),
    HTTPStatus.FORBIDDEN: Forbidden("The MLflow server does not allow this."),
    HTTPStatus.NOT_FOUND: NotFound("There is no such artifact."),
}


_ROUTE: Final = "/mlflow-artifacts/artifacts"
"""The part of a repository's URI that is followed by the path of the root folder."""


class ProxiedRepository(RemoteRepository):
    """The artifacts of MLflow's `MlflowArtifactsRepository` or `HttpArtifactRepository`.

    MLflow's client decodes the names in a listing, and fails for one with a `#`; here they are as stored. The
    server decodes the path of a request until nothing changes, so that it does not find all names that it
    lists.
    """

    def __init__(self, repository: Any, spool: DownloadSpool) -> None:
        super().__init__(repository, spool)
        self._credentials = repository._host_creds  # noqa: SLF001 - the credentials that the repository itself sends
        self._server = copy(self._credentials)
        self._server.host, _, self._root = repository.artifact_uri.partition(_ROUTE)

    @override
    def _entries(self, parts: Sequence[str]) -> Iterator[ArtifactEntry]:
        folder = "/".join(parts)
        _check_path(folder)
        for file in self._list(posixpath.join(self._root.lstrip("/"), folder)):
            path = posixpath.join(folder, file["path"])
            is_dir, size = bool(file.get("is_dir")), file.get("file_size")
            unknown = is_dir or size is None
            yield ArtifactEntry(path, is_dir, None if unknown else int(size), is_server_path(path))

    def _list(self, path: str) -> Sequence[Any]:
        from mlflow.utils.rest_utils import http_request  # noqa: PLC0415 - takes seconds

        response = http_request(
            self._server,
            _ROUTE,
            "GET",
            params={"path": path.rstrip("/")},
            raise_on_status=False,
        )
        if response.status_code != HTTPStatus.OK:
            raise _error_of(response.status_code)
        try:
            files: Sequence[Any] = response.json().get("files", [])
        except (ValueError, AttributeError) as error:
            message = "The MLflow server's list of artifacts is not valid."
            raise NotMlflowError(message) from error
        return files

    @override
    def download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        from mlflow.utils.rest_utils import http_request  # noqa: PLC0415 - takes seconds

        _check_path("/".join(parts))
        headers = {name: request.headers[name] for name in _REQUEST_HEADERS if name in request.headers}
        response = http_request(
            self._credentials,
            f"/{quote('/'.join(parts))}",
            "GET",
            stream=True,
            raise_on_status=False,
            # The content length of a compressed response is not that of the file.
            extra_headers=headers | {"accept-encoding": "identity"},
        )
        if response.status_code not in _PASSED_STATUSES:
            response.close()
            raise _error_of(response.status_code)
        if not request.with_body:
            response.close()
        passed = {name: response.headers[name] for name in _RESPONSE_HEADERS if name in response.headers}
        if "content-encoding" in response.headers:
            passed.pop("content-length", None)
        chunks = iter(response.iter_content(CHUNK_BYTES))
        return FileContent(response.status_code, passed, chunks, response.close)


def _error_of(status: int) -> PublicError:
    error = _ERRORS.get(status) or StoreUnavailable("The MLflow server failed.")
    # A new instance: raising an exception sets its traceback, and the instances above are shared.
    return error.with_message(str(error))


def _check_path(path: str) -> None:
    if not is_server_path(path):
        message = "The MLflow server reads the name of this artifact as another name, and cannot send it."
        raise UnsupportedByStore(message)
