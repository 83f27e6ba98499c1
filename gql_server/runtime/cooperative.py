"""Long computations on the event loop, in steps."""

import asyncio
import time

_SLICE_SECONDS = 0.005
"""A tenth of the longest time that a task may block the event loop (50 ms)."""


class CooperativeLoop:
    """Yields to the event loop during a long computation.

    Create one where the computation starts, and await `checkpoint` between its steps.
    """

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.perf_counter() + _SLICE_SECONDS

    async def checkpoint(self) -> None:
        """Let other tasks run if 5 ms have passed since they last could."""
        if time.perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + _SLICE_SECONDS
