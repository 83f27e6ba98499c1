"""Exports of one store's tables, as streams and as files."""

import asyncio
from collections.abc import Hashable
from contextlib import aclosing

from gql_server.config.limits import ExportLimits
from gql_server.exports.export_file import ExportFile
from gql_server.exports.export_spool import ExportSpool
from gql_server.exports.export_stream import ExportStream
from gql_server.exports.format_factory import check_requirements, encoder_for, writer_for
from gql_server.exports.table_layouts import Columns
from gql_server.exports.table_request import TableRequest
from gql_server.exports.wide_runs import wide_layout, wide_rows
from schema.exports.row_scan import Chunks, ScanOptions
from schema.ports.tracking import Tracking


class TableExporter:
    """Scans the tables of a store and encodes them, as streams and as files.

    A filter may have `max_conditions` comparisons. `close` deletes the files.
    """

    def __init__(self, tracking: Tracking, limits: ExportLimits, max_conditions: int) -> None:
        self._tracking = tracking
        self._limits = limits
        self._max_conditions = max_conditions
        self._spool = ExportSpool(limits)

    async def start_stream(self, request: TableRequest) -> ExportStream:
        """Return a stream in a streamed format, with its first part encoded."""
        check_requirements(request)
        columns, chunks = await self._scan(request)
        stream = ExportStream(encoder_for(request, columns), chunks)
        await stream.start()
        return stream

    async def acquire_file(
        self, request: TableRequest, principal: Hashable, *, refresh: bool, resume: bool
    ) -> ExportFile:
        """Return a file in any format; the caller must release it by `release_file`.

        Requests share a file only if their principal is the same, since the store may return other rows to
        others. `refresh` writes the file again. `resume` returns the earlier file even if it is stale.
        """
        check_requirements(request)
        return await self._spool.acquire(
            (principal, request), lambda file: self._write(request, file), refresh=refresh, resume=resume
        )

    def acquire_recent_file(self, request: TableRequest, principal: Hashable) -> ExportFile | None:
        """Return the file of a request just before if there is one; the caller must release it."""
        return self._spool.acquire_recent((principal, request))

    def release_file(self, file: ExportFile) -> None:
        """Release a file that was acquired."""
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
        columns, chunks = await self._scan(request)
        async with aclosing(chunks):
            writer = await asyncio.to_thread(writer_for, request, file.path, columns)
            try:
                async for chunk in chunks:
                    await asyncio.to_thread(writer.write, chunk)
                    self._spool.update_size(file)
                await asyncio.to_thread(writer.finish)
            finally:
                # Shielded, because a thread may still write when the server stops.
                await asyncio.shield(asyncio.to_thread(writer.close))
        self._spool.update_size(file)
