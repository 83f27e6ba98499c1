"""The number of a body's chunks, relative to their bytes."""

from typing import Final

MIN_CHUNK_BYTES: Final = 16
"""Bytes of a chunk in the mean of a long body. A chunk takes h11 6 µs, and a megabyte of them 0.4 s."""
MAX_SMALL_CHUNKS: Final = 10_000
"""Chunks of any size: some clients send each line of a short file in one. They take h11 60 ms."""


class ChunkCount:
    """Counts the chunks of one body and their bytes."""

    __slots__ = ("_remaining",)

    def __init__(self) -> None:
        # In bytes, so that neither chunk nor data needs a division.
        self._remaining = MAX_SMALL_CHUNKS * MIN_CHUNK_BYTES

    def add_chunk(self) -> bool:
        """Count a chunk, and return whether the body may have it."""
        self._remaining -= MIN_CHUNK_BYTES
        return self._remaining >= 0

    def add_data(self, length: int) -> None:
        """Count bytes of a chunk."""
        self._remaining += length
