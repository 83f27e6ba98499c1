"""The encoders and writers of the formats. Those of Arrow and Parquet are imported when they are needed."""

from pathlib import Path

from gql_server.exports.csv_encoder import CsvEncoder
from gql_server.exports.export_format import FORMATS
from gql_server.exports.file_writer import EncodedFileWriter, FileWriter
from gql_server.exports.ndjson_encoder import NdjsonEncoder
from gql_server.exports.stream_encoder import StreamEncoder
from gql_server.exports.table_layouts import Columns
from gql_server.exports.table_request import TableRequest
from schema.ports.errors import UnsupportedByStore


def check_requirements(request: TableRequest) -> None:
    """Raise `UnsupportedByStore` if the format needs a package that is not installed."""
    if not FORMATS[request.format].needs_pyarrow:
        return
    try:
        import pyarrow  # noqa: F401, ICN001, PLC0415 - tests whether it is installed
    except ImportError:
        message = (
            "Parquet, Arrow and Feather need pyarrow: pip install 'mlflow-gql-server[tables]'. "
            "CSV and NDJSON do not."
        )
        raise UnsupportedByStore(message) from None


def encoder_for(request: TableRequest, columns: Columns) -> StreamEncoder:
    """Return the encoder of a streamed format."""
    if request.format == "csv":
        return CsvEncoder(columns)
    if request.format == "ndjson":
        return NdjsonEncoder(columns)
    from gql_server.exports.arrow_formats import ArrowEncoder  # noqa: PLC0415 - pyarrow is an extra

    return ArrowEncoder(columns, as_file=request.format == "feather")


def writer_for(request: TableRequest, path: Path, columns: Columns) -> FileWriter:
    """Return a writer to a new file in any format. It blocks, and raises `OSError`."""
    if FORMATS[request.format].streamed:
        return EncodedFileWriter(path, encoder_for(request, columns))
    from gql_server.exports.arrow_formats import ParquetFileWriter  # noqa: PLC0415 - pyarrow is an extra

    return ParquetFileWriter(path, columns, request.compression)
