"""Artifacts that an MLflow server serves: its responses are streamed to the client."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from typing_extensions import override

from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.file_content import FileContent
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.open_file import CHUNK_BYTES
from gql_server.artifacts.remote_repository import RemoteRepository
from schema.ports.errors import Forbidden, NotFound, PublicError, StoreUnavailable, Unauthenticated

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


class ProxiedRepository(RemoteRepository):
    """The artifacts of MLflow's `MlflowArtifactsRepository` or `HttpArtifactRepository`."""

    def __init__(self, repository: Any, spool: DownloadSpool) -> None:
        super().__init__(repository, spool)
        self._credentials = repository._host_creds  # noqa: SLF001 - the credentials that the repository itself sends

    @override
    def download(self, parts: Sequence[str], request: FileRequest) -> FileContent:
        from mlflow.utils.rest_utils import http_request  # noqa: PLC0415 - takes seconds

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
            error = _ERRORS.get(response.status_code) or StoreUnavailable("The MLflow server failed.")
            # A new instance: raising an exception sets its traceback, and the instances above are shared.
            raise error.with_message(str(error))
        if not request.with_body:
            response.close()
        passed = {name: response.headers[name] for name in _RESPONSE_HEADERS if name in response.headers}
        if "content-encoding" in response.headers:
            passed.pop("content-length", None)
        chunks = iter(response.iter_content(CHUNK_BYTES))
        return FileContent(response.status_code, passed, chunks, response.close)
