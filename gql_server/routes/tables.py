"""`GET /tables/runs.csv` and the other tables."""

import re
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gql_server.auth.caller import authenticated_caller
from gql_server.cache.cache_control import CacheControl, parse_cache_control
from gql_server.config.limits import ExportLimits
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_format import FORMATS
from gql_server.exports.export_responses import ExportFileResponse, ExportStreamResponse
from gql_server.exports.table_exporter import TableExporter
from gql_server.exports.table_request import TableRequest, parse_table_request
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import public_error_entry
from gql_server.http.range_header import without_ignored_range
from gql_server.http.request_error import RequestError
from gql_server.runtime.limiter import Limiter, LimiterFull
from schema.ports.errors import LimitExceeded

_BYTE_POSITION: Final = re.compile(r"\s*bytes\s*=\s*\d", re.IGNORECASE)
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class TablesEndpoint:
    """Responds to GET and HEAD for a table.

    HEAD, a range and Parquet need a file. The other formats are streamed, unless a file was requested just
    before.
    """

    def __init__(self, exporter: TableExporter, limits: ExportLimits, send_timeout: float) -> None:
        self._exporter = exporter
        self._send_timeout = send_timeout
        self._limiter = Limiter(limits.max_table_downloads)

    def route(self) -> Route:
        """Return the route."""
        return Route("/tables/{name}", self._respond, methods=["GET"])

    async def _respond(self, request: Request) -> Response:
        try:
            table_request = parse_table_request(request.path_params["name"], request.query_params)
            if not FORMATS[table_request.format].streamed or not _is_for_whole_table(request):
                return await self._new_file_response(request, table_request)
            file = self._recent_file(request, table_request)
            if file is None:
                return await self._stream_response(table_request)
            return self._file_response(table_request, file)
        except LimiterFull as full:
            message = f"Table downloads in progress are limited to {full.limit} (GQL_MAX_TABLE_DOWNLOADS)."
            raise RequestError.unavailable(message, ErrorCode.LIMIT_EXCEEDED) from None
        except LimitExceeded as error:
            # 422 instead of 413 (Content Too Large): the request is not too large but its response is.
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise RequestError([public_error_entry(error)], status) from error

    async def _stream_response(self, table_request: TableRequest) -> Response:
        headers = _headers(table_request) | {"accept-ranges": "none"}
        with ExitStack() as slot:
            slot.enter_context(self._limiter)
            stream = await self._exporter.start_stream(table_request)
            return ExportStreamResponse(
                stream,
                media_type=FORMATS[table_request.format].media_type,
                headers=headers,
                send_timeout=self._send_timeout,
                on_close=slot.pop_all().close,
            )

    def _recent_file(self, request: Request, table_request: TableRequest) -> ExportFile | None:
        if parse_cache_control(request.headers.get("cache-control", "")) is not CacheControl.DEFAULT:
            return None
        return self._exporter.acquire_recent_file(table_request, authenticated_caller().principal)

    async def _new_file_response(self, request: Request, table_request: TableRequest) -> Response:
        caller = authenticated_caller()
        cache_control = parse_cache_control(request.headers.get("cache-control", ""))
        with self._limiter:
            file = await self._exporter.acquire_file(
                table_request,
                caller.principal,
                refresh=cache_control is not CacheControl.DEFAULT,
                resume=_resumes(request),
            )
        return self._file_response(table_request, file)

    def _file_response(self, table_request: TableRequest, file: ExportFile) -> Response:
        return ExportFileResponse(
            file.path,
            media_type=FORMATS[table_request.format].media_type,
            headers=_headers(table_request),
            send_timeout=self._send_timeout,
            on_close=partial(self._exporter.release_file, file),
        )


def _headers(request: TableRequest) -> dict[str, str]:
    filename = f"{request.table}.{request.format}"
    return {**_HEADERS, "content-disposition": f'attachment; filename="{filename}"'}


def _is_for_whole_table(request: Request) -> bool:
    """Return whether it is a GET without a range."""
    headers = Headers(scope=without_ignored_range(request.scope))
    return request.method == "GET" and "range" not in headers


def _resumes(request: Request) -> bool:
    """Return whether a request is for a range by position: its reader has the length of the file already.

    A request with If-Range is not: if the file has changed, the ETag differs and the whole file is sent.
    """
    is_position = _BYTE_POSITION.match(request.headers.get("range", "")) is not None
    return is_position and "if-range" not in request.headers
