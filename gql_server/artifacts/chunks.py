"""Chunks of a file, read in threads, one after the other."""

import asyncio
from concurrent.futures import Future

from gql_server.artifacts.range_response import FileContent
from gql_server.runtime.threads import Threads


class Chunks:
    """The chunks of a delivery as an asynchronous iterator; whoever got it closes it."""

    def __init__(self, delivery: FileContent, threads: Threads) -> None:
        self.delivery = delivery
        self._threads = threads
        self._reading: Future[bytes] | None = None

    def __aiter__(self) -> "Chunks":
        return self

    async def __anext__(self) -> bytes:
        self._reading = self._threads.submit(next, self.delivery.chunks, b"")
        chunk = await asyncio.wrap_future(self._reading)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def close(self) -> None:
        """Let go of the file, once nobody reads it any more."""
        if self._reading is None:
            self.delivery.close()
        else:
            self._reading.add_done_callback(lambda _: self.delivery.close())
