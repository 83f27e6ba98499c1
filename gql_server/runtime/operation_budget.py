"""What one operation may take of this process: processor time, and memory for what it reads."""

import time
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from threading import RLock
from typing import Any, Final, TypeVar
from weakref import finalize

from typing_extensions import override

from schema.ports.errors import LimitExceeded

_T = TypeVar("_T")


class BudgetExceeded(LimitExceeded):
    """One operation has taken too much. It says nothing about others."""


class OperationBudget:
    """Counts the processor time and the read bytes of an operation. Several threads may add to them."""

    def __init__(self, max_seconds: float, max_bytes: int) -> None:
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._seconds = 0.0
        self._bytes = 0
        # A finalizer may run while the same thread adds.
        self._lock = RLock()

    @property
    def seconds(self) -> float:
        """Return the processor time so far."""
        return self._seconds

    @property
    def is_over(self) -> bool:
        """Return whether the operation has taken more than a limit."""
        return self._seconds > self._max_seconds or self._bytes > self._max_bytes

    @property
    def error(self) -> LimitExceeded | None:
        """Return the error of an operation that has taken more than a limit, or None."""
        return self.error_with(0.0)

    def error_with(self, seconds: float) -> LimitExceeded | None:
        """Return the error of an operation that would exceed a limit with more processor time, or None."""
        if self._bytes > self._max_bytes:
            message = (
                f"The fields of the operation read more than {self._max_bytes:,} bytes (GQL_MAX_READ_BYTES): "
                "select fewer fields, or smaller pages."
            )
            return BudgetExceeded(message)
        if self._seconds + seconds > self._max_seconds:
            message = (
                f"The operation takes more than {self._max_seconds:g} seconds of processor time "
                "(GQL_MAX_PROCESSOR_SECONDS): select fewer fields, or search fewer runs."
            )
            return BudgetExceeded(message)
        return None

    def add(self, seconds: float = 0.0, size: int = 0) -> None:
        """Add processor time of one thread, or bytes that were read."""
        with self._lock:
            self._seconds += seconds
            self._bytes += size

    def meter(self) -> "Meter":
        """Return a meter of the thread that calls this."""
        return Meter(self)

    def metered(self, work: Coroutine[Any, Any, _T]) -> Coroutine[Any, Any, _T]:
        """Return a coroutine that adds the processor time of its steps on the event loop."""
        return _Metered(work, self)


class Meter:
    """Adds what one call takes in its thread. Only that thread may use it."""

    __slots__ = ("_bytes", "_noted", "_total")

    def __init__(self, total: OperationBudget) -> None:
        self._total = total
        self._noted = time.thread_time()
        self._bytes = 0

    def note(self) -> bool:
        """Add the time since the last call, and return whether the operation has taken too much."""
        now = time.thread_time()
        self._total.add(now - self._noted)
        self._noted = now
        return self._total.is_over

    def add_bytes(self, size: int, *, until_end: bool = False) -> None:
        """Add bytes that were read, `until_end` of the operation if another object will have them."""
        self._bytes += 0 if until_end else size
        self._total.add(size=size)
        self.check()

    def release_with(self, result: object) -> None:
        """Give the bytes of the call back when its result is not in memory any more."""
        finalize(result, self._total.add, size=-self._bytes).atexit = False
        self._bytes = 0

    def check_ahead(self, seconds: float) -> None:
        """Raise `LimitExceeded` before work that takes about this long and cannot be interrupted."""
        self.note()
        if (error := self._total.error_with(seconds)) is not None:
            raise error

    def check(self) -> None:
        """Add the time since the last call; raise `LimitExceeded` if the operation has taken too much."""
        if self.note() and (error := self._total.error) is not None:
            raise error


class _Metered(Coroutine[Any, Any, _T]):
    """A coroutine whose steps are metered: a task runs one each time that it is woken.

    A function that awaits the other would never start it, if it is cancelled before its first step.
    """

    __slots__ = ("_total", "_work")

    def __init__(self, work: Coroutine[Any, Any, _T], total: OperationBudget) -> None:
        self._work = work
        self._total = total

    @override
    def __await__(self) -> Generator[Any, Any, _T]:
        return self  # It has the methods that `await` calls.

    def __iter__(self) -> "_Metered[_T]":
        return self

    def __next__(self) -> Any:
        return self.send(None)

    @override
    def send(self, value: Any) -> Any:
        started = time.thread_time()
        try:
            return self._work.send(value)
        finally:
            self._total.add(time.thread_time() - started)

    @override
    def throw(self, *error: Any) -> Any:
        started = time.thread_time()
        try:
            return self._work.throw(*error)
        finally:
            self._total.add(time.thread_time() - started)

    @override
    def close(self) -> None:
        self._work.close()


current_budget: Final[ContextVar[OperationBudget | None]] = ContextVar("operation_budget", default=None)
"""That of the operation; None for what has no limits, such as a change."""

current_meter: Final[ContextVar[Meter | None]] = ContextVar("processor_meter", default=None)
"""The meter of a call in a worker thread."""
