"""Turns: long work in small steps, between which the event loop serves others."""

import asyncio
import time

_TURN_SECONDS = 0.005
"""A tenth of what anybody may have to wait for the event loop (50 ms)."""


class CooperativeLoop:
    """Counts the time from its making on; made where the work begins."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.perf_counter() + _TURN_SECONDS

    async def between(self) -> None:
        """Let others go first where this turn is over; called between steps."""
        if time.perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = time.perf_counter() + _TURN_SECONDS
