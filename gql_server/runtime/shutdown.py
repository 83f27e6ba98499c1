"""Graceful shutdown.

1. At SIGTERM `/readyz` starts to fail. The server accepts connections for `GQL_SHUTDOWN_DELAY` seconds more,
   in which load balancers notice.
2. Then event streams and WebSockets end, so that their clients connect elsewhere, and uvicorn gets the
   signal. It closes its listening socket and waits for requests in flight, up to `GQL_SHUTDOWN_TIMEOUT`
   seconds.
3. Shortly before that timeout, operations still in flight are cancelled here. Their clients get a 503
   response instead of a closed connection.
4. The application closes its store and its cache.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_RESPONSE_SECONDS = 1.0
"""The time to send the responses of cancelled operations; half of the timeout if that is less."""


class Shutdown:
    """The state of this process's shutdown, and the operations to cancel at its end."""

    def __init__(self) -> None:
        self.started = False
        self.operations_cancelled = False
        self._timeouts: set[asyncio.Timeout] = set()
        self._closing_callbacks: list[Callable[[], None]] = []

    @contextmanager
    def track(self, timeout: asyncio.Timeout) -> Iterator[None]:
        """Let `cancel_operations` expire this timeout while the context is entered."""
        self._timeouts.add(timeout)
        try:
            yield
        finally:
            self._timeouts.discard(timeout)

    def on_closing(self, callback: Callable[[], None]) -> None:
        """Call this when the port closes: connections that stay open for events have to end then."""
        self._closing_callbacks.append(callback)

    def end_connections(self) -> None:
        """Call all that wait for the closing of the port."""
        for callback in self._closing_callbacks:
            callback()

    def cancel_operations(self) -> None:
        """Expire the timeouts of all operations in flight."""
        self.operations_cancelled = True
        for timeout in self._timeouts:
            # An expired timeout is cancelling its operation already and cannot be rescheduled.
            if not timeout.expired():
                timeout.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def handle_signals(self, delay: float, timeout: float) -> Iterator[None]:
        """Handle SIGTERM and SIGINT while the context is entered, before the handlers installed so far.

        At SIGTERM `started` becomes true, and the earlier handler runs `delay` seconds later. At SIGINT, and
        at a second signal, it runs at once. Operations in flight are cancelled shortly before `timeout`
        seconds have passed after that.
        """
        # An application inside another program, as in tests, does not change that program's signal handlers.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        loop = asyncio.get_running_loop()

        def handle(number: int, frame: FrameType | None) -> None:
            wait = delay if number == signal.SIGTERM and not self.started else 0
            self.started = True
            loop.call_soon_threadsafe(forward, wait, handlers[signal.Signals(number)], number, frame)

        def forward(wait: float, handler: Any, *arguments: Any) -> None:
            loop.call_later(wait, self.end_connections)
            loop.call_later(wait, handler, *arguments)
            loop.call_later(wait + timeout - min(_RESPONSE_SECONDS, timeout / 2), self.cancel_operations)

        for number, handler in handlers.items():
            if callable(handler):
                signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
