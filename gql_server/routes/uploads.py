"""`PUT /artifacts/<runId>/<path>`: upload a file to the artifacts of a run."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gql_server.artifacts.artifact_path import path_error, path_parts
from gql_server.artifacts.unfinished_file import UNFINISHED_PREFIX
from gql_server.artifacts.upload_service import UploadService
from gql_server.http.body_length import announced_length
from gql_server.http.content_encoding import check_content_encoding
from gql_server.http.request_headers import request_headers
from gql_server.routes.path_convertor import ARTIFACT_PATH
from gql_server.runtime.limiter import LimiterFull
from gql_server.stores.ids import check_run_ids
from schema.ports.errors import BadUserInput, StoreUnavailable

_CHUNK_BYTES: Final = 1024 * 1024
"""Size of the chunks of a body: what one upload occupies in memory."""
_RECEIVE_TIMEOUT: Final = 60.0
"""Seconds after which a client that stops sending is disconnected."""


class UploadsEndpoint:
    """Responds to PUT of a file."""

    def __init__(self, uploads: UploadService) -> None:
        self._uploads = uploads

    def route(self) -> Route:
        """Return the route."""
        return Route(f"/artifacts/{{run_id}}/{ARTIFACT_PATH}", self._respond, methods=["PUT"])

    async def _respond(self, request: Request) -> Response:
        run_id, parts = _parse(request)
        self._uploads.check_size(announced_length(request.headers))
        try:
            result = await self._uploads.upload(run_id, parts, _body_chunks(request))
        except LimiterFull:
            message = "Too many uploads are in progress (GQL_MAX_UPLOADS); try again later."
            raise StoreUnavailable(message) from None
        body = orjson.dumps({"path": "/".join(parts), "size": result.size})
        status = HTTPStatus.CREATED if result.is_new else HTTPStatus.OK
        return Response(body, status, media_type="application/json")


def _parse(request: Request) -> tuple[str, list[str]]:
    """Return the run's id and the parts of the path; raise `BadUserInput` for a request that is not valid."""
    run_id, path = request.path_params["run_id"], request.path_params["path"]
    check_run_ids((run_id,))
    parts = path_parts(path)
    if "\\" in path:
        raise path_error(path, "has a backslash")
    if not parts or parts[-1].startswith(UNFINISHED_PREFIX):
        raise path_error(path, "is not one of a file that can be uploaded")
    check_content_encoding(request_headers(request.scope))
    if "content-range" in request.headers:
        # A server that ignored it would replace the whole file with a part (RFC 9110, 14.5).
        message = "Content-Range is not supported: upload the whole file."
        raise BadUserInput(message)
    return run_id, parts


async def _body_chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in chunks; raise `ClientDisconnect` if it is not complete."""
    stream = request.stream()
    buffer = bytearray()
    while True:
        try:
            async with asyncio.timeout(_RECEIVE_TIMEOUT):
                part = await anext(stream, None)
        except TimeoutError as error:
            raise ClientDisconnect from error
        if part is None:
            break
        buffer += part
        if len(buffer) >= _CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
