"""An encoder of tables as a stream of bytes."""

from typing import Protocol

from schema.ports.table import Table


class StreamEncoder(Protocol):
    """Encodes one table, chunk by chunk. Its methods take CPU time, so call `encode` in a thread."""

    def start(self) -> bytes:
        """Return the bytes before the first row."""
        ...

    def encode(self, rows: Table) -> bytes:
        """Return the bytes of some rows; they may be empty."""
        ...

    def end(self) -> bytes:
        """Return the bytes after the last row."""
        ...
