"""Requests begin in the order of their arrival, and not all of them in one iteration of the event loop."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from gql_server.runtime.limiter import LimiterFull

_SECONDS: Final = 0.005
"""Seconds of work in one iteration, after which no further request begins: a tenth of the longest time that a
task may block the event loop (50 ms)."""
_BUSY_SECONDS: Final = 0.002
"""Seconds of an iteration from which the loop counts as busy: two short requests take less."""
_SETTLING: Final = 3
"""Iterations in which the loop reads that a client has disconnected, and tells the application."""
_WOKEN: Final = 32
"""Waiting requests that are woken for one iteration. Short ones take less than `_SECONDS` together."""
_MAX_WAITING: Final = 5000
"""Requests that wait; a further one fails at once. Short ones take some seconds together."""


class _Waiting(NamedTuple):
    future: asyncio.Future[None]
    iteration: int
    """The iteration from which the request may begin."""


class Arrivals:
    """The requests of one event loop that have arrived and have not begun.

    While a long request is processed, others arrive, and some of their clients leave. The loop then reads all
    requests, and only in its next iterations the ends of connections. A request that arrives at a busy loop
    therefore waits for these iterations, so that it need not be processed if its client has left.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._is_counting = False
        """Whether iterations are counted; an idle loop has none."""
        self._iteration = 0
        self._began = 0.0
        """The time at which this iteration began."""
        self._settled = 0
        """The iteration from which the loop does not count as busy."""
        self._until: float | None = None
        """The time at which the work of this iteration is enough; None if none has begun."""
        self._returned = 0
        """Woken requests of this iteration that wait again, at the front."""

    async def wait(self) -> bool:
        """Return when the request may begin: False at once, or True later. Raises `LimiterFull`.

        What is computed until the next `await` is the request's share of the iteration.
        """
        loop = asyncio.get_running_loop()
        if not self._is_counting:
            self._is_counting = True
            self._began = loop.time()
            loop.call_soon(self._end_iteration, loop)
        if not self._waiting and self._iteration >= self._settled and self._has_time(loop):
            return False
        if len(self._waiting) >= _MAX_WAITING:
            raise LimiterFull(_MAX_WAITING)
        entry = _Waiting(loop.create_future(), self._iteration + _SETTLING)
        self._waiting.append(entry)
        await entry.future
        while not self._has_time(loop):
            entry = _Waiting(loop.create_future(), self._iteration)
            self._waiting.insert(self._returned, entry)
            self._returned += 1
            await entry.future
        return True

    def _has_time(self, loop: asyncio.AbstractEventLoop) -> bool:
        now = loop.time()
        if self._until is None:
            self._until = now + _SECONDS
        return now < self._until

    def _end_iteration(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._iteration += 1
        if now - self._began > _BUSY_SECONDS:
            self._settled = self._iteration + _SETTLING
        self._began, self._until, self._returned = now, None, 0
        woken = self._wake()
        self._is_counting = bool(woken or self._waiting or self._iteration < self._settled)
        if self._is_counting:
            # The woken requests run in the next iteration, and this is called after them.
            loop.call_soon(self._end_iteration, loop)

    def _wake(self) -> int:
        woken = 0
        while self._waiting and woken < _WOKEN and self._waiting[0].iteration <= self._iteration:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_result(None)
                woken += 1
        return woken
