"""Tables as Arrow streams and as Parquet files; needs pyarrow."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gql_server.exports.table_layouts import Columns, Type
from schema.ports.table import Table

ROWS_AT_ONCE: Final = 65_536
"""The rows of one group of a Parquet file: few groups, and each small in memory."""

_TYPES: Final[dict[Type, pa.DataType]] = {
    "text": pa.string(),
    "time": pa.timestamp("ms", tz="UTC"),
    "whole": pa.int64(),
    "number": pa.float64(),
    "value": pa.float64(),
}


def arrow_schema(columns: Columns) -> pa.Schema:
    """Return the types of a table's columns."""
    return pa.schema([pa.field(name, _TYPES[type_]) for name, type_ in columns])


def arrow_batch(schema: pa.Schema, table: Table) -> pa.RecordBatch:
    """Return some rows as Arrow has them."""
    arrays = [_array(table[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class ArrowFormat:
    """Writes parts of a table as an Arrow IPC stream."""

    media_type = "application/vnd.apache.arrow.stream"

    def __init__(self, columns: Columns) -> None:
        self._schema = arrow_schema(columns)
        self._taken = _Taken()
        self._writer = pa.ipc.new_stream(self._taken, self._schema)

    def begin(self) -> bytes:
        """Return the schema."""
        return self._taken.take()

    def part(self, table: Table) -> bytes:
        """Return some rows."""
        if table.size:
            self._writer.write_batch(arrow_batch(self._schema, table))
        return self._taken.take()

    def end(self) -> bytes:
        """Return the mark of the end, without which a reader knows that the download broke."""
        self._writer.close()
        return self._taken.take()


class ParquetFile:
    """Writes parts of a table into a Parquet file on disk, group by group."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._schema = arrow_schema(columns)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []

    def part(self, table: Table) -> None:
        """Write some rows, once there are enough of them."""
        self._waiting.append(arrow_batch(self._schema, table))
        if sum(batch.num_rows for batch in self._waiting) >= ROWS_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self._waiting:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        batches, self._waiting = self._waiting, []
        self._writer.write_table(pa.Table.from_batches(batches, self._schema))


class _Taken(io.RawIOBase):
    """A file whose bytes are taken away as they are written."""

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


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    if type_ == pa.string():
        # A lone surrogate, which only a file store can hold, has no UTF-8.
        values = [value if value is None or value.isascii() else _storable(value) for value in values]
    return pa.array(values, type=type_, from_pandas=False)


def _storable(text: str) -> str:
    return text.encode(errors="replace").decode()
