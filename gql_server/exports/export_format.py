"""The formats of exported tables."""

from typing import Final, NamedTuple

COMPRESSIONS: Final = ("zstd", "snappy", "none")
"""The compressions of a Parquet file, the default first. Readers in browsers know Snappy by themselves."""


class ExportFormat(NamedTuple):
    """How a format is sent: `streamed` formats can be sent while they are encoded."""

    media_type: str
    streamed: bool
    needs_pyarrow: bool


FORMATS: Final = {
    "csv": ExportFormat("text/csv; charset=utf-8; header=present", streamed=True, needs_pyarrow=False),
    "ndjson": ExportFormat("application/x-ndjson", streamed=True, needs_pyarrow=False),
    "parquet": ExportFormat("application/vnd.apache.parquet", streamed=False, needs_pyarrow=True),
    "arrow": ExportFormat("application/vnd.apache.arrow.stream", streamed=True, needs_pyarrow=True),
    "feather": ExportFormat("application/vnd.apache.arrow.file", streamed=True, needs_pyarrow=True),
}
"""The formats by the extension in a URL. A feather file, version 2, is an Arrow IPC file."""
