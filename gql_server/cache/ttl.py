"""The TTLs of cache entries."""

from dataclasses import dataclass
from typing import Self

from gql_server.config.limits import CacheLimits


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """TTLs in seconds; 0 disables caching.

    `active` is for everything that may change at any time, which includes the data of finished runs: params,
    tags and metrics can be logged late, and runs deleted. `finished` is for the histories of finished runs,
    which are used only while the last points of their metrics are the same.
    """

    finished: float
    active: float

    @classmethod
    def from_limits(cls, limits: CacheLimits) -> Self:
        """Return the TTLs of the settings."""
        return cls(finished=limits.cache_ended_seconds, active=limits.cache_running_seconds)

    def of_history(self, *, finished: bool) -> float:
        """Return the TTL of a history; `finished` is whether its run is known to have ended."""
        return max(self.active, self.finished) if finished else self.active
