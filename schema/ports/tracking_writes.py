"""The port for changes: what the graph asks a tracking store to create, log, end and delete.

It is apart from `schema.ports.tracking`, for a server that only reads has none. Each method returns when the
store
has acknowledged the change; what was changed is then read through `Tracking`, which sees it whatever was
kept before. Times are integer milliseconds since 1970 in UTC.

Expected faults are raised as `schema.ports.errors.PublicError`: `NotFound` where what is to be changed is not
there,
`BadUserInput` where the store does not take the change, in MLflow's own words where it has some. Nothing is
tried again after it may have reached the store, unless that comes to the same: after `StoreTimeout` and
`StoreUnavailable` the message says whether the change may have been applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class KeyValue(NamedTuple):
    """A param or a tag."""

    key: str
    value: str


class Point(NamedTuple):
    """A value of a metric; `value` may be an infinity or NaN."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is logged to one run at once, each kind in the order given."""

    metrics: Sequence[Point] = ()
    params: Sequence[KeyValue] = ()
    tags: Sequence[KeyValue] = ()


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to start; without a name the store makes one up, without a time it starts now."""

    experiment_id: str
    name: str | None = None
    tags: Sequence[KeyValue] = ()
    parent_run_id: str | None = None
    started_at: int | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What is to be another about a run; None leaves it. `status` is the name of an MLflow RunStatus."""

    name: str | None = None
    status: str | None = None
    ended_at: int | None = None


class TrackingWrites(Protocol):
    """A tracking store that takes changes."""

    async def create_experiment(
        self, name: str, artifact_location: str | None, tags: Sequence[KeyValue]
    ) -> str:
        """Create an experiment and return its id; the name must be free, deleted experiments included."""
        ...

    async def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an active experiment another name, which must be free."""
        ...

    async def delete_experiment(self, experiment_id: str) -> None:
        """Mark an active experiment and its runs deleted."""
        ...

    async def restore_experiment(self, experiment_id: str) -> None:
        """Make a deleted experiment active again, and its runs."""
        ...

    async def set_experiment_tags(self, experiment_id: str, tags: Sequence[KeyValue]) -> None:
        """Set tags in the order given; where one fails, those before it are set and the message says so."""
        ...

    async def delete_experiment_tags(self, experiment_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the order given; `NotFound` where one is not there, those before it are gone."""
        ...

    async def start_run(self, new: NewRun) -> str:
        """Start a run in an active experiment and return its id."""
        ...

    async def update_run(self, run_id: str, update: RunUpdate) -> None:
        """Change an active run's name, status or end."""
        ...

    async def delete_run(self, run_id: str) -> None:
        """Mark a run deleted."""
        ...

    async def restore_run(self, run_id: str) -> None:
        """Make a deleted run active again."""
        ...

    async def log_batch(self, run_id: str, batch: Batch) -> None:
        """Log params, then metrics, then tags, in as many calls as the store needs.

        All is checked before anything is sent. Where a call fails, those before it are stored, and the
        message says how much that is.
        """
        ...

    async def delete_run_tags(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the order given; `NotFound` where one is not there, those before it are gone."""
        ...
