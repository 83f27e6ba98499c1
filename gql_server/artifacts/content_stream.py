"""An asynchronous stream of a file's bytes, read in worker threads."""

import asyncio
from concurrent.futures import Future
from typing import Self

from gql_server.artifacts.file_content import FileContent
from gql_server.runtime.threads import Threads


class ContentStream:
    """Iterates over the chunks of a `FileContent`, one at a time. The caller must call `close`."""

    def __init__(self, content: FileContent, threads: Threads) -> None:
        self.content = content
        self._threads = threads
        self._last_read: Future[bytes] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._last_read = self._threads.submit(next, self.content.chunks, b"")
        chunk = await asyncio.wrap_future(self._last_read)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def close(self) -> None:
        """Close the file, after the read in progress if there is one."""
        if self._last_read is None:
            self.content.close()
        else:
            self._last_read.add_done_callback(lambda _: self.content.close())
