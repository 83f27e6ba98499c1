"""The time that one read may take on the event loop."""

import time
from collections.abc import Callable
from typing import Final

SLICE_SECONDS: Final = 0.02
"""Less than the encoding of a chunk and the other turns of the event loop may add up to."""


class TimeSlice:
    """A time that begins now. `is_over` is for the driver, which calls it while a statement runs."""

    def __init__(
        self, seconds: float = SLICE_SECONDS, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self.was_exceeded = False
        """Whether `is_over` has returned True."""

    def is_over(self) -> bool:
        """Return whether the time is over."""
        if self._clock() < self._end:
            return False
        self.was_exceeded = True
        return True
