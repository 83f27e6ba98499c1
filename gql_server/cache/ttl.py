"""The TTLs of cache entries."""

from dataclasses import dataclass
from typing import Self

from gql_server.config.limits import CacheLimits

_EXPERIMENT_SECONDS = 10.0
"""A user who changes an experiment by hand looks for the change soon; a lookup every 10 s causes no load."""


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """TTLs by what an entry depends on, in seconds; 0 disables caching.

    `finished` is for what was logged to finished runs. `active` is for everything that may change at any
    time: active runs, searches, counts, and ids that do not exist. `experiments` is for the rows and tags of
    experiments, models and versions, which change by hand. `active` is the shortest and `finished` the
    longest.
    """

    finished: float
    active: float
    experiments: float

    @classmethod
    def from_limits(cls, limits: CacheLimits) -> Self:
        """Return the TTLs of the settings."""
        finished, active = limits.cache_ended_seconds, limits.cache_running_seconds
        return cls(
            finished=finished, active=active, experiments=min(max(active, _EXPERIMENT_SECONDS), finished)
        )

    def of_run(self, end_time: int | None) -> float:
        """Return the TTL of what was logged to a run; `end_time` is None if it is not known to have ended."""
        return self.active if end_time is None else self.finished
