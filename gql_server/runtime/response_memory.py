"""The memory that responses of an MLflow server share while they are read and converted."""

from threading import Condition
from typing import Final


class ResponseMemory:
    """Counts the bytes of all responses in memory. Beyond a limit, only the oldest call reads on.

    The others wait in their threads, and what they have not read waits in the sockets. A call is any object.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._sizes: dict[object, int] = {}

    def begin(self, call: object) -> None:
        """Let a call read responses until `end`."""
        with self._changed:
            self._sizes[call] = 0

    def add(self, call: object, size: int, limit: int) -> None:
        """Count bytes of a call, and wait until it may read more, or has ended."""
        with self._changed:
            if call in self._sizes:
                self._sizes[call] += size
            self._changed.wait_for(lambda: self._may_read(call, limit))

    def end(self, call: object) -> None:
        """Count the bytes of a call no more, as its result was converted or is not needed."""
        with self._changed:
            del self._sizes[call]
            self._changed.notify_all()

    def _may_read(self, call: object, limit: int) -> bool:
        if call not in self._sizes or sum(self._sizes.values()) <= limit:
            return True
        oldest = next(other for other, size in self._sizes.items() if size)
        return oldest is call


response_memory: Final = ResponseMemory()
"""That of this process."""
