"""One file of a spool: on disk for as long as it is given out, or still sent to someone."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, eq=False)
class ExportFile:
    """A file that is being made, or is there. Times are of the monotonic clock, in seconds."""

    path: Path
    making: "asyncio.Future[None]" = field(init=False)
    kept: bool = True
    """Whether it is given to those who ask."""
    stale: bool = False
    """Whether it is given only to those who go on reading it."""
    users: int = 0
    """Who waits for it or is sent it."""
    size: int = 0
    made: float = 0.0
    used: float = 0.0

    @property
    def idle(self) -> bool:
        """Say whether it is there, and nobody is sent it now."""
        return self.making.done() and not self.users

    def let_go(self) -> None:
        """Count one user less."""
        self.users -= 1
        self.used = time.monotonic()

    def has_been_made(self) -> bool:
        """Note when its making ended; say whether it is there now."""
        self.made = self.used = time.monotonic()
        return not self.making.cancelled() and self.making.exception() is None

    def is_old(self, idle_seconds: float, most_seconds: float) -> bool:
        """Say whether nobody used it for so long, or it is too old whoever uses it."""
        now = time.monotonic()
        unused = self.idle and now - self.used > idle_seconds
        return unused or (self.making.done() and now - self.made > most_seconds)
