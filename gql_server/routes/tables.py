"""`GET /tables/runs.csv` and the others."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from gql_server.auth.caller import current
from gql_server.cache.cache_control import CacheControl, parse_cache_control
from gql_server.config.settings import Settings
from gql_server.exports.csv_format import CsvFormat
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_request import TableRequest, read_table_request
from gql_server.exports.export_spool import ExportSpool
from gql_server.exports.responses import ExportFileResponse, StreamedExport
from gql_server.exports.table_layouts import Columns
from gql_server.exports.wide_runs import numbers, wide_columns, wide_keys, wide_rows
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.http.responses import STATUSES, error_response
from gql_server.routes.errors import store_error_response
from schema.exports.row_scan import Chunks, ScanOptions
from schema.ports.errors import UnsupportedByStore
from schema.ports.table import Table
from schema.ports.tracking import Tracking

_STATUSES: Final = {**STATUSES, ErrorCode.LIMIT_EXCEEDED: HTTPStatus.UNPROCESSABLE_ENTITY}
"""Here it is the answer that is too large, and not what was sent."""
_BY_PLACE: Final = re.compile(r"\s*bytes\s*=\s*\d", re.IGNORECASE)
_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class _Format(Protocol):
    media_type: str

    def begin(self) -> bytes: ...
    def part(self, table: Table) -> bytes: ...
    def end(self) -> bytes: ...


@dataclass(slots=True, eq=False)
class TablesEndpoint:
    """Gives tables of one application's store; `close` deletes the files that it made."""

    tracking: Tracking
    settings: Settings
    _spool: ExportSpool = field(init=False)
    _under_way: int = 0

    def __post_init__(self) -> None:
        """Begin with an empty spool."""
        self._spool = ExportSpool(
            seconds=self.settings.table_file_seconds,
            most_files=self.settings.max_table_files,
            most_bytes=self.settings.table_spool_bytes,
        )

    async def __call__(self, request: Request) -> Response:
        """Answer GET and HEAD."""
        if self._under_way >= self.settings.max_table_downloads:
            text = f"{self._under_way} downloads are under way, as many as may be (GQL_MAX_TABLE_DOWNLOADS)."
            return error_response(RequestError.unavailable(text, ErrorCode.LIMIT_EXCEEDED))
        self._under_way += 1
        try:
            response = await self._respond(request)
        except BaseException as error:
            self._finished()
            if isinstance(error, Exception):
                return store_error_response(error, _STATUSES)
            raise
        if not isinstance(response, StreamedExport):
            self._finished()
        return response

    def forget(self) -> None:
        """Make a change of the store visible to whoever begins to read from now on."""
        self._spool.forget()

    def close(self) -> None:
        """Delete the files."""
        self._spool.close()

    def _finished(self) -> None:
        self._under_way -= 1

    async def _respond(self, request: Request) -> Response:
        asked = read_table_request(request.path_params["name"], request.query_params)
        headers = _HEADERS | {"content-disposition": f'attachment; filename="{asked.table}.{asked.format}"'}
        if asked.format == "parquet":
            _need_pyarrow()
            return await self._file(request, asked, headers)
        columns, chunks = await self._open(asked)
        format_ = _format(asked.format, columns)
        parts = _parts(format_, chunks)
        # What is wrong with the request shows in the first part, while it still can be said by a status.
        first = await anext(parts)
        headers |= {"accept-ranges": "none"}
        if request.method == "HEAD":
            await parts.aclose()
            response = Response(headers=headers, media_type=format_.media_type)
            # How long the table is shows with its end alone, and a length of 0 says that it is empty.
            del response.headers["content-length"]
            return response
        return StreamedExport(
            _joined(first, parts),
            media_type=format_.media_type,
            headers=headers,
            patience=self.settings.download_patience,
            done=self._finished,
        )

    async def _file(self, request: Request, asked: TableRequest, headers: dict[str, str]) -> Response:
        caller = current.get()
        file = await self._spool.take(
            # What one caller may read of the store another may not.
            (caller.principal if caller else None, asked),
            lambda file: self._write(asked, file),
            anew=parse_cache_control(request.headers.get("cache-control", "")) is not CacheControl.DEFAULT,
            goes_on=_goes_on(request),
        )
        return ExportFileResponse(
            file.path,
            media_type="application/vnd.apache.parquet",
            headers=headers,
            patience=self.settings.download_patience,
            done=partial(self._spool.release, file),
        )

    async def _write(self, asked: TableRequest, file: ExportFile) -> None:
        from gql_server.exports.arrow_formats import ParquetFile  # noqa: PLC0415 - pyarrow is an extra

        columns, chunks = await self._open(asked)
        parquet = await asyncio.to_thread(ParquetFile, file.path, columns)
        async with aclosing(chunks):
            async for chunk in chunks:
                await asyncio.to_thread(lambda part: parquet.part(_joined_values(part)), chunk)
                self._spool.grew(file)
        await asyncio.to_thread(parquet.close)
        self._spool.grew(file)

    async def _open(self, asked: TableRequest) -> tuple[Columns, Chunks]:
        if not asked.wide:
            layout = asked.layout
            walk = ScanOptions(
                runs_per_chunk=layout.runs_per_chunk, max_conditions=self.settings.max_conditions
            )
            return layout.columns, layout.rows(self.tracking, asked.rows, walk)
        walk = ScanOptions(max_conditions=self.settings.max_conditions)
        keys = await wide_keys(self.tracking, asked.rows, walk, self.settings.max_table_columns)
        return wide_columns(keys), wide_rows(self.tracking, asked.rows, walk, keys)


def _goes_on(request: Request) -> bool:
    """Say whether a request is for a part by its place, by a reader who knows the file's length already.

    One with If-Range is told by its ETag that there is another file, and gets all of that.
    """
    return _BY_PLACE.match(request.headers.get("range", "")) is not None and "if-range" not in request.headers


async def _parts(format_: _Format, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    begun = False
    async with aclosing(chunks):
        async for chunk in chunks:
            part = await asyncio.to_thread(lambda rows: format_.part(_joined_values(rows)), chunk)
            yield part if begun else format_.begin() + part
            begun = True
    yield format_.end() if begun else format_.begin() + format_.end()


async def _joined(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for part in rest:
            if part:
                yield part


def _joined_values(rows: Table) -> Table:
    """Return rows of metrics with the values in it that are not finite."""
    if "non_finite" not in rows.columns:
        return rows
    values: Any = numbers(rows["value"], rows["non_finite"])
    return Table(rows.size, {**rows.columns, "value": values})


def _format(name: str, columns: Columns) -> _Format:
    if name == "csv":
        return CsvFormat(columns)
    _need_pyarrow()
    from gql_server.exports.arrow_formats import ArrowFormat  # noqa: PLC0415 - pyarrow is an extra

    return ArrowFormat(columns)


def _need_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - only whether it is there
    except ImportError:
        message = "Parquet and Arrow need pyarrow: pip install 'mlflow-gql-server[tables]'. CSV does not."
        raise UnsupportedByStore(message) from None
