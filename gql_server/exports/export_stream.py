"""A table that is encoded while it is sent."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

from gql_server.exports.stream_encoder import StreamEncoder
from schema.exports.row_scan import Chunks

FIRST_BYTES: Final = 1_000_000
FIRST_SECONDS: Final = 1.0
"""Up to this size and time a table is encoded before it is sent: a small one then has a length.

The size bounds the memory, and the time the delay of a table that the store returns slowly.
"""


class ExportStream:
    """The encoded parts of a table.

    `start` encodes the first parts, so that an error in the request is raised before the response has begun.
    Either iterate over `parts` or call `aclose`.
    """

    def __init__(self, encoder: StreamEncoder, chunks: Chunks) -> None:
        self.size: int | None = None
        """The size in bytes; None if not all of it is encoded when the response begins."""
        self._first = b""
        self._rest = _encode(encoder, chunks)

    async def start(self) -> None:
        """Read and encode the first parts, up to `FIRST_BYTES` and `FIRST_SECONDS` and at least one."""
        parts: list[bytes] = []
        end = time.monotonic() + FIRST_SECONDS
        async for part in self._rest:
            parts.append(part)
            if sum(map(len, parts)) >= FIRST_BYTES or time.monotonic() >= end:
                break
        else:
            self.size = sum(map(len, parts))
        self._first = b"".join(parts)

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield the parts that are not empty, the first one included."""
        async with aclosing(self._rest):
            yield self._first
            async for part in self._rest:
                if part:
                    yield part

    async def aclose(self) -> None:
        """End the scan of the store without reading the rest."""
        await self._rest.aclose()


async def _encode(encoder: StreamEncoder, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    prefix = encoder.start()
    async with aclosing(chunks):
        async for chunk in chunks:
            part = await asyncio.to_thread(encoder.encode, chunk)
            yield prefix + part
            prefix = b""
    yield prefix + encoder.end()
