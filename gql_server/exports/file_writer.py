"""Writers of tables to files."""

from pathlib import Path
from threading import Lock
from typing import Protocol

from typing_extensions import override

from gql_server.exports.stream_encoder import StreamEncoder
from schema.ports.table import Table


class FileWriter(Protocol):
    """Writes one table to a file. Its methods block.

    `close` must end it, after `finish` or an error; it waits for a call in another thread.
    """

    def write(self, rows: Table) -> None:
        """Append rows; they may be written later."""
        ...

    def finish(self) -> None:
        """Write the rest of the file."""
        ...

    def close(self) -> None:
        """Close the file, which is incomplete without `finish`. It raises nothing."""
        ...


class EncodedFileWriter(FileWriter):
    """Writes the bytes of an encoder to a file."""

    def __init__(self, path: Path, encoder: StreamEncoder) -> None:
        self._encoder = encoder
        self._lock = Lock()
        # Without a buffer: the parts are large, and closing then writes nothing.
        self._file = path.open("wb", buffering=0)
        try:
            self._write(encoder.start())
        except BaseException:
            self._file.close()
            raise

    @override
    def write(self, rows: Table) -> None:
        with self._lock:
            self._write(self._encoder.encode(rows))

    @override
    def finish(self) -> None:
        with self._lock:
            self._write(self._encoder.end())

    @override
    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
