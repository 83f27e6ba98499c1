"""Stopping: after SIGTERM the process is not ready any more, and a while later it takes no connections.

Whoever sends requests here looks at /readyz from time to time, and needs that while. Then uvicorn stops
listening and lets what is under way finish. What does not, it would break off without an answer, so a moment
before that it is ended here, and its client told to ask again. In the end the application closes its store
and cache.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_MOMENT = 1.0
"""Seconds, or half of the patience where that is less, in which those who are told so get to hear it."""


class Shutdown:
    """Whether this process is about to stop, and the operations that will have to end with it."""

    def __init__(self) -> None:
        self.begun = False
        self.over = False
        self._limits: set[asyncio.Timeout] = set()

    @contextmanager
    def ends(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Let the time limit pass, at the latest, when the process has no more time; `over` says so then."""
        self._limits.add(limit)
        try:
            yield
        finally:
            self._limits.discard(limit)

    def give_up(self) -> None:
        """End what is still under way."""
        self.over = True
        for limit in self._limits:
            # One whose time is up already is ending, and cannot be told again.
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def announced(self, delay: float, patience: float) -> Iterator[None]:
        """Turn not ready at SIGTERM, and pass it on `delay` seconds later; a second one, and SIGINT, at once.

        What is under way `patience` seconds after that will be broken off, and is ended before.
        """
        # Who merely holds the application, as tests do, has signals of their own.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        loop = asyncio.get_running_loop()

        def stop(number: int, frame: FrameType | None) -> None:
            wait = delay if number == signal.SIGTERM and not self.begun else 0
            self.begun = True
            loop.call_soon_threadsafe(pass_on, wait, before[signal.Signals(number)], number, frame)

        def pass_on(wait: float, handler: Any, *arguments: Any) -> None:
            loop.call_later(wait, handler, *arguments)
            loop.call_later(wait + patience - min(_MOMENT, patience / 2), self.give_up)

        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
