"""`GET /artifacts` and `GET /model-artifacts`: the files of runs and logged models, streamed."""

import logging
import mimetypes
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from urllib3.exceptions import HTTPError

from gql_server.artifacts.content_stream import ContentStream
from gql_server.artifacts.file_request import FileRequest
from gql_server.artifacts.media_type import media_type_of
from gql_server.artifacts.service import ArtifactService
from gql_server.config.limits import ArtifactLimits
from gql_server.http.range_header import without_ignored_range
from gql_server.http.streaming import send_with_timeout
from gql_server.routes.path_convertor import ARTIFACT_PATH
from gql_server.runtime.limiter import Limiter, LimiterFull
from schema.ports.artifacts import OwnerKind
from schema.ports.errors import StoreUnavailable
from schema.types.artifact import ROUTES

# Artifacts are untrusted. Under this policy a browser runs no scripts and gives the page an opaque origin.
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-cache",
}
_COMPRESSED_TYPES: Final = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
}

_log = logging.getLogger(__name__)


class DownloadsEndpoint:
    """Responds to GET and HEAD for files, at most `max_downloads` at one time.

    A client that does not accept a chunk within `send_timeout` seconds is disconnected.
    """

    def __init__(self, artifacts: ArtifactService, limits: ArtifactLimits, send_timeout: float) -> None:
        self._artifacts = artifacts
        self._send_timeout = send_timeout
        self._limiter = Limiter(limits.max_downloads)

    def routes(self) -> list[Route]:
        """Return a route for each kind of owner."""
        return [
            Route(
                f"/{prefix}/{{owner}}/{ARTIFACT_PATH}",
                partial(self._respond, owner_kind),
                methods=["GET", "HEAD"],
            )
            for owner_kind, prefix in ROUTES.items()
        ]

    async def _respond(self, owner_kind: OwnerKind, request: Request) -> Response:
        owner, path = request.path_params["owner"], request.path_params["path"]
        with ExitStack() as slot:
            try:
                slot.enter_context(self._limiter)
            except LimiterFull:
                message = "Too many downloads are in progress (GQL_MAX_DOWNLOADS); try again later."
                raise StoreUnavailable(message) from None
            stream = await self._artifacts.download(owner_kind, owner, path, _file_request(request))
            headers = {
                **_HEADERS,
                **_content_headers(path.rpartition("/")[2]),
                **stream.content.headers,
            }
            return _DownloadResponse(stream, headers, self._send_timeout, slot.pop_all().close)


class _DownloadResponse(StreamingResponse):
    """Sends a file. An error in the middle closes the connection before the announced length is sent."""

    def __init__(
        self,
        stream: ContentStream,
        headers: dict[str, str],
        send_timeout: float,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(stream, stream.content.status, headers)
        self._stream = stream
        self._send_timeout = send_timeout
        self._on_close = on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send_with_timeout(send, self._send_timeout))
        except (OSError, HTTPError) as error:  # OSError includes those of requests
            _log.warning("aborted a download: %s", type(error).__name__)
        finally:
            self._stream.close()
            self._on_close()


def _file_request(request: Request) -> FileRequest:
    headers = Headers(scope=without_ignored_range(request.scope))
    return FileRequest(with_body=request.method == "GET", headers=headers)


def _content_headers(name: str) -> dict[str, str]:
    """Return the type of a file by its name, and that a browser saves it instead of rendering it."""
    ascii_name = re.sub(r"[^ -~]|[\"\\%]", "_", name)
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-type": _content_type(name), "content-disposition": disposition}


def _content_type(name: str) -> str:
    _media_type, compression = mimetypes.guess_type(name)
    if compression:
        return _COMPRESSED_TYPES.get(compression, "application/octet-stream")
    media_type = media_type_of(name)
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
