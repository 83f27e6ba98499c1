"""The circuit: nobody waits for a cache that does not answer."""

import logging
import time
from collections.abc import Callable
from math import inf

_log = logging.getLogger(__name__)


class CircuitBreaker:
    """After a failure lets nobody through for `rest` seconds, then one at a time until it works again.

    Failures are logged once in `quiet` seconds, by their type alone: their texts may hold what was kept.
    """

    def __init__(
        self, *, rest: float = 2.0, quiet: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failures = 0
        self._rest = rest
        self._quiet = quiet
        self._clock = clock
        self._open_until: float | None = None
        self._logged_at = -inf

    def lets_through(self) -> bool:
        """Say whether to try; who is let through while it is open tries for all the others."""
        if self._open_until is None:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        self._open_until = now + self._rest
        return True

    def worked(self) -> None:
        """Close it: the cache answered."""
        if self._open_until is not None:
            self._open_until = None
            _log.info("The cache answers again.")

    def failed(self, error: Exception) -> None:
        """Open it: the cache did not answer, or not in time."""
        self.failures += 1
        now = self._clock()
        self._open_until = now + self._rest
        if now - self._logged_at >= self._quiet:
            self._logged_at = now
            text = "The cache fails (%s, %d times so far); answers come from the store."
            _log.warning(text, type(error).__name__, self.failures)
