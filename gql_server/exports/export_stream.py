"""A table that is encoded while it is sent."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from gql_server.exports.stream_encoder import StreamEncoder
from schema.exports.row_scan import Chunks


class ExportStream:
    """The encoded parts of a table.

    `start` encodes the first part, so that an error in the request is raised before the response has begun.
    Either iterate over `parts` or call `aclose`.
    """

    def __init__(self, encoder: StreamEncoder, chunks: Chunks) -> None:
        self.media_type = encoder.media_type
        self._first = b""
        self._rest = _encode(encoder, chunks)

    async def start(self) -> None:
        """Read and encode the first part."""
        self._first = await anext(self._rest)

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
