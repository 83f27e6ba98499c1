"""A circuit breaker: no request waits for a service that has just failed."""

import logging
import time
from collections.abc import Callable
from math import inf

_log = logging.getLogger(__name__)


class CircuitBreaker:
    """Rejects calls for `retry_seconds` after a failure, then allows one at a time until one succeeds.

    A warning is logged at most once in `log_seconds`. It has the error's type but not its text, which may
    contain credentials or cached values.
    """

    def __init__(
        self,
        *,
        retry_seconds: float = 2.0,
        log_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failures = 0
        self._retry_seconds = retry_seconds
        self._log_seconds = log_seconds
        self._clock = clock
        self._open_until: float | None = None
        self._logged_at = -inf

    def allows_call(self) -> bool:
        """Return whether to call the service now; an open breaker allows one call per `retry_seconds`."""
        if self._open_until is None:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        self._open_until = now + self._retry_seconds
        return True

    def record_success(self) -> None:
        """Close the breaker."""
        if self._open_until is not None:
            self._open_until = None
            _log.info("The cache responds again.")

    def record_failure(self, error: Exception) -> None:
        """Open the breaker: the call failed or timed out."""
        self.failures += 1
        now = self._clock()
        self._open_until = now + self._retry_seconds
        if now - self._logged_at >= self._log_seconds:
            self._logged_at = now
            text = "The cache fails (%s, %d times so far); requests are served without it."
            _log.warning(text, type(error).__name__, self.failures)
