"""A limit on the number of calls in flight, enforced without a queue."""

from types import TracebackType


class LimiterFull(Exception):
    """As many calls are in flight as the limit allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} calls are in flight, which is the limit.")
        self.limit = limit


class Limiter:
    """Counts the calls in flight in one event loop and refuses those beyond `limit`.

    A refused call fails at once: a queue would make every call slow instead. Use the limiter as a context
    manager where the call ends in the same function, and `acquire` and `release` where it ends elsewhere.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0

    def acquire(self) -> None:
        """Count one more call; raise `LimiterFull` at the limit. Each call needs one `release`."""
        if self.in_flight >= self.limit:
            raise LimiterFull(self.limit)
        self.in_flight += 1

    def release(self) -> None:
        """Count one call less."""
        self.in_flight -= 1

    def __enter__(self) -> None:
        """Acquire for the time of the `with` block."""
        self.acquire()

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release, whether or not the block raised."""
        self.release()
