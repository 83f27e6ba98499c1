"""A file in the export spool."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, eq=False)
class ExportFile:
    """A file that is being written or is complete. Times are in seconds of the monotonic clock."""

    path: Path
    writing: "asyncio.Future[None]" = field(init=False)
    cached: bool = True
    """Whether the spool returns it for new requests."""
    stale: bool = False
    """Whether the spool returns it only for requests that resume a download."""
    users: int = 0
    """Number of requests that wait for it or send it."""
    size: int = 0
    finished_at: float = 0.0
    last_used: float = 0.0
    requested_at: float = 0.0

    def was_requested_within(self, seconds: float) -> bool:
        """Return whether it is complete, and a client requested it or a part of it in the last seconds."""
        complete = self.writing.done() and self._succeeded()
        return complete and time.monotonic() - self.requested_at <= seconds

    def request(self) -> None:
        """Record that a client requested it or a part of it."""
        self.requested_at = time.monotonic()

    @property
    def idle(self) -> bool:
        """Return whether it is complete, or failed, and has no users."""
        return self.writing.done() and not self.users

    def release(self) -> None:
        """Remove one user."""
        self.users -= 1
        self.last_used = time.monotonic()

    def finish(self) -> bool:
        """Record that writing has ended; return whether it succeeded."""
        self.finished_at = self.last_used = time.monotonic()
        return self._succeeded()

    def _succeeded(self) -> bool:
        return not self.writing.cancelled() and self.writing.exception() is None

    def is_expired(self, max_idle: float, max_age: float) -> bool:
        """Return whether it has had no users for `max_idle` seconds, or is older than `max_age` seconds."""
        now = time.monotonic()
        unused = self.idle and now - self.last_used > max_idle
        return unused or (self.writing.done() and now - self.finished_at > max_age)
