"""Long computations take turns on the event loop."""

import asyncio
from collections import deque


class Turns:
    """Lets one of many long computations run in each iteration of the event loop.

    If every computation let others run after a few milliseconds, thirty of them would still keep a short
    request waiting for thirty times that. Share one object between the operations of an event loop.
    """

    __slots__ = ("_is_taken", "_waiting")

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn, which ends with the next `await`; it is for some milliseconds of computation."""
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._end, loop)
            return
        future = loop.create_future()
        self._waiting.append(future)
        await future

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                # The computation runs in the next iteration, and this is called after it.
                future.set_result(None)
                loop.call_soon(self._end, loop)
                return
        self._is_taken = False
