"""The port for changes: create, log, end and delete experiments, runs and their data.

It is separate from `schema.ports.tracking`, because a read-only server does not have it. Each method returns
after the store has acknowledged the change. A later read through `Tracking` returns the changed state, not
an earlier one from a cache. Times are integer milliseconds since 1970-01-01 UTC.

Expected errors are `schema.ports.errors.PublicError`: `NotFound` if the object to change does not exist,
`BadUserInput` if the store rejects the change, with MLflow's own message if it has one. A call that may have
reached the store is repeated only if repeating it has no further effect. The messages of `StoreTimeout` and
`StoreUnavailable` state whether the change may have been applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class KeyValue(NamedTuple):
    """A param or a tag."""

    key: str
    value: str


class Point(NamedTuple):
    """A point of a metric. `value` may be infinite or NaN."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The data to log to one run, each kind in the given order."""

    metrics: Sequence[Point] = ()
    params: Sequence[KeyValue] = ()
    tags: Sequence[KeyValue] = ()


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to start. Without a name, the store generates one; without a time, the run starts now."""

    experiment_id: str
    name: str | None = None
    tags: Sequence[KeyValue] = ()
    parent_run_id: str | None = None
    started_at: int | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """The changes to a run; None leaves a value unchanged. `status` is the name of an MLflow RunStatus."""

    name: str | None = None
    status: str | None = None
    ended_at: int | None = None


class TrackingWrites(Protocol):
    """A tracking store that accepts changes."""

    async def create_experiment(
        self, name: str, artifact_location: str | None, tags: Sequence[KeyValue]
    ) -> str:
        """Create an experiment and return its id.

        Raise `BadUserInput` if an active or deleted experiment has the name. `artifact_location` is a URI;
        None uses the store's default.
        """
        ...

    async def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Rename an active experiment. Raise `BadUserInput` if another experiment has the name."""
        ...

    async def delete_experiment(self, experiment_id: str) -> None:
        """Mark an active experiment and its runs as deleted."""
        ...

    async def restore_experiment(self, experiment_id: str) -> None:
        """Restore a deleted experiment and its runs."""
        ...

    async def set_experiment_tags(self, experiment_id: str, tags: Sequence[KeyValue]) -> None:
        """Set tags in the given order.

        If one fails, those before it are set, and the message of the error reports how many.
        """
        ...

    async def delete_experiment_tags(self, experiment_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the given order.

        Raise `NotFound` for a tag that is not set; those before it are deleted.
        """
        ...

    async def start_run(self, new: NewRun) -> str:
        """Start a run in an active experiment and return its id."""
        ...

    async def update_run(self, run_id: str, update: RunUpdate) -> None:
        """Change the name, status or end time of an active run."""
        ...

    async def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted."""
        ...

    async def restore_run(self, run_id: str) -> None:
        """Restore a deleted run."""
        ...

    async def log_batch(self, run_id: str, batch: Batch) -> None:
        """Log params, then metrics, then tags, in as many calls as the store needs.

        Validate the whole batch before the first call. If a call fails, the data of earlier calls is stored,
        and the message of the error reports how much.
        """
        ...

    async def delete_run_tags(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the given order.

        Raise `NotFound` for a tag that is not set; those before it are deleted.
        """
        ...
