"""Artifacts that an MLflow server hands out: its answers are passed on while they come in."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from mlflow.utils.rest_utils import http_request
from requests import Response

from gql_server.artifacts.download_spool import DownloadSpool
from gql_server.artifacts.range_response import CHUNK, FileContent, FileRequest
from gql_server.artifacts.remote_repository import RemoteRepository
from schema.ports.errors import Forbidden, NotFound, PublicError, StoreUnavailable, Unauthenticated

_ASKED: Final = ("range", "if-range", "if-none-match", "if-modified-since")
_ANSWERED: Final = ("accept-ranges", "content-length", "content-range", "etag", "last-modified")
_PASSED_ON: Final = {
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.NOT_MODIFIED,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
_FAULTS: Final[dict[int, PublicError]] = {
    HTTPStatus.BAD_REQUEST: NotFound("There is no such artifact that can be downloaded."),
    HTTPStatus.UNAUTHORIZED: Unauthenticated("The MLflow server did not accept the credentials."),
    HTTPStatus.FORBIDDEN: Forbidden("The MLflow server does not allow this."),
    HTTPStatus.NOT_FOUND: NotFound("There is no such artifact."),
}


class ProxiedRepository(RemoteRepository):
    """The artifacts under a `MlflowArtifactsRepository` or `HttpArtifactRepository` of MLflow's."""

    def __init__(self, repository: Any, spool: DownloadSpool) -> None:
        super().__init__(repository, spool)
        self._creds = repository._host_creds  # noqa: SLF001 - what the repository asks with itself

    def deliver(self, parts: Sequence[str], wanted: FileRequest) -> FileContent:
        """Answer a request for a file with what the server answers to it."""
        headers = {name: wanted.headers[name] for name in _ASKED if name in wanted.headers}
        response = http_request(
            self._creds,
            f"/{quote('/'.join(parts))}",
            "GET",
            stream=True,
            raise_on_status=False,
            # As it is in the file: a length is that of what is sent.
            extra_headers=headers | {"accept-encoding": "identity"},
        )
        if response.status_code not in _PASSED_ON:
            response.close()
            fault = _FAULTS.get(response.status_code) or StoreUnavailable("The MLflow server failed.")
            raise type(fault)(*fault.args)
        if not wanted.content:
            response.close()
        answered = {name: response.headers[name] for name in _ANSWERED if name in response.headers}
        if "content-encoding" in response.headers:
            answered.pop("content-length", None)
        return FileContent(response.status_code, answered, _chunks(response), response.close)


def _chunks(response: Response) -> Iterator[bytes]:
    return iter(response.iter_content(CHUNK))
