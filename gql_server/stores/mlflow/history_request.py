"""A request for histories, with the limits on their points."""

from collections.abc import Callable
from dataclasses import dataclass

from schema.ports.errors import LimitExceeded
from schema.ports.tracking import Sample


class PointLimit:
    """The number of points that one call of the port may still read or return."""

    def __init__(self, limit: int, error: Callable[[int], LimitExceeded]) -> None:
        self._limit = limit
        self._error = error
        self._remaining = limit

    def add(self, points: int) -> None:
        """Count points; raise the limit's error once there are more than the limit."""
        self._remaining -= points
        if self._remaining < 0:
            raise self._error(self._limit)


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """The steps to read, both ends included (None is unbounded), and the sample to return of their points."""

    from_step: int | None
    to_step: int | None
    sample: Sample | None
    read_limit: PointLimit
    """Limits the points read from the store."""
    returned_limit: PointLimit
    """Limits the points returned, which are fewer than those read if a sample is requested."""
