"""`/artifacts` and `/model-artifacts`: the files of runs and logged models, streamed."""

import logging
import mimetypes
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from mlflow.utils.mime_type_utils import _guess_mime_type
from requests import RequestException
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from urllib3.exceptions import HTTPError

from gql_server.artifacts.content_stream import ContentStream
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.service import ArtifactService
from gql_server.http.streaming import patient
from gql_server.routes.errors import store_error_response
from schema.ports.artifacts import OwnerKind
from schema.ports.errors import StoreUnavailable
from schema.types.artifact import ROUTES

_STALLED: Final = 60.0
"""Seconds after which a client that takes nothing any more is let go, with the file that it keeps open."""
# What is in artifacts others wrote. Should a browser show one, it has no scripts and belongs to no site.
_SAFE: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
}
_COMPRESSED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}

_log = logging.getLogger(__name__)


class _Anything(Convertor[str]):
    """Any text: Starlette's own convertor of paths takes none with a line break in it."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", _Anything())


class DownloadsEndpoint:
    """Answers GET and HEAD for files; at most `most` are under way at once in a process."""

    def __init__(self, access: ArtifactService, most: int) -> None:
        self._access = access
        self._most = most
        self._under_way = 0

    def routes(self) -> list[Route]:
        """Return the routes, one for each owner_kind of artifacts."""
        return [
            Route(
                f"/{first}/{{owner}}/{{path:anything}}", self._endpoint(owner_kind), methods=["GET", "HEAD"]
            )
            for owner_kind, first in ROUTES.items()
        ]

    def _endpoint(self, owner_kind: OwnerKind) -> Any:
        async def endpoint(request: Request) -> Response:
            try:
                return await self._respond(owner_kind, request)
            except Exception as error:  # noqa: BLE001 - each becomes an answer
                return store_error_response(error)

        return endpoint

    async def _respond(self, owner_kind: OwnerKind, request: Request) -> Response:
        if self._under_way >= self._most:
            message = "Too many downloads are under way (GQL_MAX_DOWNLOADS); try again later."
            raise StoreUnavailable(message)
        path = request.path_params["path"]
        wanted = _wanted(request)
        self._under_way += 1
        try:
            chunks = await self._access.download(owner_kind, request.path_params["owner"], path, wanted)
        except BaseException:
            self._end()
            raise
        headers = _SAFE | _described(path.rpartition("/")[2]) | chunks.content.headers
        return _Download(chunks, headers, self._end)

    def _end(self) -> None:
        self._under_way -= 1


class _Download(StreamingResponse):
    """A file on its way; where it breaks off, so does the connection: its length was told already."""

    def __init__(self, chunks: ContentStream, headers: dict[str, str], end: Callable[[], None]) -> None:
        super().__init__(chunks, chunks.content.status, headers)
        self._chunks = chunks
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, patient(send, _STALLED))
        except (OSError, RequestException, HTTPError, TimeoutError) as error:
            _log.warning("broke a download off: %s", type(error).__name__)
        finally:
            self._chunks.close()
            self._end()


def _described(name: str) -> dict[str, str]:
    """Return what a file is, by its name: how it is read, and that it is to be kept rather than shown."""
    plain = re.sub(r"[^ -~]|[\"\\%]", "_", name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-type": _content_type(name), "content-disposition": disposition}


def _content_type(name: str) -> str:
    guessed, compressed = mimetypes.guess_type(name)
    if compressed:
        return _COMPRESSED.get(compressed, "application/octet-stream")
    # MLflow knows of its own names, such as MLmodel.
    found = guessed or str(_guess_mime_type(name))
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _wanted(request: Request) -> FileRequest:
    """Read a request for a file; of GET alone is a part wanted (RFC 9110, 14.2)."""
    content = request.method == "GET"
    headers = {name: value for name, value in request.headers.items() if content or name != "range"}
    return FileRequest(with_body=content, headers=headers)
