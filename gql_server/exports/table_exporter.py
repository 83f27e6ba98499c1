"""Exports of one store's tables, as streams and as files."""

import asyncio
from collections.abc import Hashable
from contextlib import aclosing

from gql_server.config.limits import ExportLimits
from gql_server.exports.csv_encoder import CsvEncoder
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_spool import ExportSpool
from gql_server.exports.export_stream import ExportStream
from gql_server.exports.stream_encoder import StreamEncoder
from gql_server.exports.table_layouts import Columns
from gql_server.exports.table_request import TableRequest
from gql_server.exports.wide_runs import wide_layout, wide_rows
from schema.exports.row_scan import Chunks, ScanOptions
from schema.ports.errors import UnsupportedByStore
from schema.ports.tracking import Tracking


class TableExporter:
    """Scans the tables of a store and encodes them: CSV and Arrow as a stream, Parquet as a file.

    A filter may have `max_conditions` comparisons. `close` deletes the files.
    """

    def __init__(self, tracking: Tracking, limits: ExportLimits, max_conditions: int) -> None:
        self._tracking = tracking
        self._limits = limits
        self._max_conditions = max_conditions
        self._spool = ExportSpool(limits)

    async def start_stream(self, request: TableRequest) -> ExportStream:
        """Return a stream in CSV or Arrow, with its first part encoded."""
        if request.format == "arrow":
            _require_pyarrow()
        columns, chunks = await self._scan(request)
        stream = ExportStream(_encoder(request.format, columns), chunks)
        await stream.start()
        return stream

    async def acquire_file(
        self, request: TableRequest, principal: Hashable, *, refresh: bool, resume: bool
    ) -> ExportFile:
        """Return a Parquet file; the caller must release it by `release_file`.

        Requests share a file only if their principal is the same, since the store may return other rows to
        others. `refresh` writes the file again. `resume` returns the earlier file even if it is stale.
        """
        _require_pyarrow()
        return await self._spool.acquire(
            (principal, request), lambda file: self._write(request, file), refresh=refresh, resume=resume
        )

    def release_file(self, file: ExportFile) -> None:
        """Release a file that `acquire_file` returned."""
        self._spool.release(file)

    def invalidate(self) -> None:
        """Make a change of the store visible to new downloads."""
        self._spool.invalidate()

    def close(self) -> None:
        """Delete all files."""
        self._spool.close()

    async def _scan(self, request: TableRequest) -> tuple[Columns, Chunks]:
        search = request.search
        if not request.wide:
            layout = request.layout
            options = ScanOptions(self._max_conditions, runs_per_chunk=layout.runs_per_chunk)
            columns = layout.chosen(request.columns)
            return columns, layout.rows(self._tracking, search, options, [name for name, _ in columns])
        options = ScanOptions(self._max_conditions)
        max_columns = self._limits.max_table_columns
        wide = await wide_layout(self._tracking, search, options, request.columns, max_columns)
        return wide.columns, wide_rows(self._tracking, search, options, wide)

    async def _write(self, request: TableRequest, file: ExportFile) -> None:
        from gql_server.exports.arrow_formats import ParquetFileWriter  # noqa: PLC0415 - pyarrow is an extra

        columns, chunks = await self._scan(request)
        async with aclosing(chunks):
            writer = await asyncio.to_thread(ParquetFileWriter, file.path, columns)
            try:
                async for chunk in chunks:
                    await asyncio.to_thread(writer.write, chunk)
                    self._spool.update_size(file)
                await asyncio.to_thread(writer.finish)
            finally:
                # Shielded, because a thread may still write when the server stops.
                await asyncio.shield(asyncio.to_thread(writer.close))
        self._spool.update_size(file)


def _encoder(format_: str, columns: Columns) -> StreamEncoder:
    if format_ == "csv":
        return CsvEncoder(columns)
    from gql_server.exports.arrow_formats import ArrowEncoder  # noqa: PLC0415 - pyarrow is an extra

    return ArrowEncoder(columns)


def _require_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - tests whether it is installed
    except ImportError:
        message = "Parquet and Arrow need pyarrow: pip install 'mlflow-gql-server[tables]'. CSV does not."
        raise UnsupportedByStore(message) from None
