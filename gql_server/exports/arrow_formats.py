"""Tables as Arrow streams, Arrow files and Parquet files; requires pyarrow."""

import io
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import override

from gql_server.exports.arrow_arrays import ARROW_TYPES, arrow_array
from gql_server.exports.file_writer import FileWriter
from gql_server.exports.float_values import with_float_values
from gql_server.exports.stream_encoder import StreamEncoder
from gql_server.exports.table_layouts import Columns
from schema.ports.table import Table

ROW_GROUP_ROWS: Final = 65_536
"""Rows of a row group of a Parquet file: few groups, each of which takes little memory."""


class ArrowEncoder(StreamEncoder):
    """Encodes a table as an Arrow IPC stream or file. The latter ends with an index of its batches."""

    def __init__(self, columns: Columns, *, as_file: bool = False) -> None:
        self._columns, self._schema = columns, _arrow_schema(columns)
        self._output = _Output()
        new_writer = pa.ipc.new_file if as_file else pa.ipc.new_stream
        self._writer = new_writer(self._output, self._schema)

    @override
    def start(self) -> bytes:
        return self._output.take()

    @override
    def encode(self, rows: Table) -> bytes:
        if rows.size:
            self._writer.write_batch(_record_batch(self._columns, self._schema, rows))
        return self._output.take()

    @override
    def end(self) -> bytes:
        # The end-of-stream marker or the index: without it a reader reports a broken download.
        self._writer.close()
        return self._output.take()


class ParquetFileWriter(FileWriter):
    """Writes a table to a Parquet file, a row group when there are enough rows for one."""

    def __init__(self, path: Path, columns: Columns, compression: str) -> None:
        self._columns, self._schema = columns, _arrow_schema(columns)
        self._pending: list[pa.RecordBatch] = []
        self._lock = Lock()
        # Opened here, because pyarrow's writer leaves a file open that it cannot finish.
        self._file = pa.OSFile(str(path), "wb")
        try:
            self._writer = pq.ParquetWriter(self._file, self._schema, compression=compression)
        except BaseException:
            self._close_file()
            raise

    @override
    def write(self, rows: Table) -> None:
        with self._lock:
            self._pending.append(_record_batch(self._columns, self._schema, rows))
            if sum(batch.num_rows for batch in self._pending) >= ROW_GROUP_ROWS:
                self._write_row_group()

    @override
    def finish(self) -> None:
        with self._lock:
            if self._pending:
                self._write_row_group()
            self._writer.close()
            self._file.close()

    @override
    def close(self) -> None:
        with self._lock:
            self._pending.clear()
            # The writer tries to write its footer, here or when it is deleted.
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
            self._close_file()

    def _close_file(self) -> None:
        with suppress(OSError):
            self._file.close()

    def _write_row_group(self) -> None:
        batches, self._pending = self._pending, []
        self._writer.write_table(pa.Table.from_batches(batches, self._schema))


class _Output(io.RawIOBase):
    """A writable file that returns what was written since the last `take`."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _arrow_schema(columns: Columns) -> pa.Schema:
    return pa.schema([pa.field(name, ARROW_TYPES[type_]) for name, type_ in columns])


def _record_batch(columns: Columns, schema: pa.Schema, rows: Table) -> pa.RecordBatch:
    rows = with_float_values(rows)
    arrays = [arrow_array(rows[name], type_) for name, type_ in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
