"""The mutations of runs: their inputs and their payload."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.milliseconds import current_time
from schema.ports.run_status import RunStatus
from schema.ports.tracking_writes import Batch, NewRun, RunUpdate
from schema.types.arguments import given
from schema.types.mutations.log_inputs import (
    MetricInput,
    ParamInput,
    TagInput,
    key_values,
    points,
)
from schema.types.mutations.mutation_payload import make_payload, writes_of
from schema.types.run import Run
from schema.types.scalars import DateTime

_ID = "The MLflow id of the run."
_END_STATUSES = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

RUN_PAYLOAD = make_payload(Run, "run", lambda tracking: tracking.runs_by_id)


@strawberry.input(description="A run to start.")
class StartRunInput:
    """The arguments of MLflow's create_run, with the tags that MLflow's client sets."""

    experiment_id: strawberry.ID = strawberry.field(description="The MLflow id of its experiment.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name. Default, also if it is empty: a name that the store generates.",
    )
    tags: list[TagInput] | None = strawberry.field(default=strawberry.UNSET, description="The tags to set.")
    parent_run_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of the parent run, stored in the tag mlflow.parentRunId. Default: no parent.",
    )
    started_at: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="The start time. Default: the server's current time."
    )
    user_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The user who started the run, also stored in the tag mlflow.user. Default: the value of that "
            "tag in tags, or else unknown."
        ),
    )


@strawberry.input(description="A run to end.")
class EndRunInput:
    """The arguments of MLflow's set_terminated."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    status: RunStatus = strawberry.field(
        default=RunStatus.FINISHED, description="The final status: FINISHED, FAILED or KILLED."
    )
    ended_at: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="The end time. Default: the server's current time."
    )


@strawberry.input(description="A change to a run. At least one of name and status is required.")
class UpdateRunInput:
    """The arguments of MLflow's update_run."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The new name. Default: unchanged."
    )
    status: RunStatus | None = strawberry.field(
        default=strawberry.UNSET,
        description="The new status. Default: unchanged. The end time does not change.",
    )


@strawberry.input(description="A run to delete or to restore.")
class RunIdInput:
    """The argument of MLflow's delete_run and restore_run."""

    run_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Data to log to a run.")
class LogBatchInput:
    """The arguments of MLflow's log_batch, without its limits."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    metrics: list[MetricInput] | None = strawberry.field(
        default=strawberry.UNSET, description="The points of metrics. They are logged after the params."
    )
    params: list[ParamInput] | None = strawberry.field(
        default=strawberry.UNSET, description="The params. They are logged first. Keys must be unique."
    )
    tags: list[TagInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The tags. They are set last. If a key is repeated, its last value is set.",
    )


@strawberry.input(description="Tags to set on a run.")
class SetRunTagsInput:
    """The arguments of MLflow's set_tag, for several tags."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    tags: list[TagInput] = strawberry.field(
        description=(
            "The tags. If a key is repeated, its last value is set. The tag mlflow.runName changes the run's "
            "name."
        )
    )


@strawberry.input(description="Tags to delete from a run.")
class DeleteRunTagsInput:
    """The arguments of MLflow's delete_tag, for several tags."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    keys: list[str] = strawberry.field(description="The keys of the tags. Each tag must be set.")


async def start_run(
    context: FieldContext,
    input: Annotated[  # noqa: A002 - the public name
        StartRunInput, strawberry.argument(description="The run to start.")
    ],
) -> str:
    """Start a run and return its id."""
    tags = key_values(input.tags)
    context.operation.count_changes(1 + len(tags))
    new = NewRun(
        experiment_id=input.experiment_id,
        name=given(input.name),
        tags=tags,
        parent_run_id=given(input.parent_run_id),
        started_at=given(input.started_at),
        user_id=given(input.user_id),
    )
    return await writes_of(context).start_run(new)


async def end_run(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        EndRunInput, strawberry.argument(description="The run, its final status and its end time.")
    ],
) -> str:
    """End a run, even if it has ended before, and return its id."""
    if input.status not in _END_STATUSES:
        message = "endRun takes the statuses FINISHED, FAILED and KILLED. Use updateRun for the others."
        raise BadUserInput(message)
    ended_at = given(input.ended_at)
    update = RunUpdate(status=input.status.name, ended_at=current_time() if ended_at is None else ended_at)
    return await _update(context, input.run_id, update)


async def update_run(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        UpdateRunInput, strawberry.argument(description="The run, and its new name or status.")
    ],
) -> str:
    """Change the name or status of a run and return its id."""
    name, status = given(input.name), given(input.status)
    if name is None and status is None:
        message = "updateRun takes a name, a status or both."
        raise BadUserInput(message)
    update = RunUpdate(name=name, status=status.name if status else None)
    return await _update(context, input.run_id, update)


async def delete_run(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RunIdInput, strawberry.argument(description="The run to delete.")
    ],
) -> str:
    """Delete a run and return its id."""
    context.operation.count_changes(1)
    await writes_of(context).delete_run(input.run_id)
    return input.run_id


async def restore_run(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RunIdInput, strawberry.argument(description="The run to restore.")
    ],
) -> str:
    """Restore a run and return its id."""
    context.operation.count_changes(1)
    await writes_of(context).restore_run(input.run_id)
    return input.run_id


async def log_batch(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        LogBatchInput, strawberry.argument(description="The run and the data to log to it.")
    ],
) -> str:
    """Log data to a run and return its id."""
    batch = Batch(points(input.metrics), key_values(input.params), key_values(input.tags))
    return await _log(context, input.run_id, batch)


async def set_run_tags(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        SetRunTagsInput, strawberry.argument(description="The run and the tags to set on it.")
    ],
) -> str:
    """Set tags of a run and return its id."""
    return await _log(context, input.run_id, Batch(tags=key_values(input.tags)))


async def delete_run_tags(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        DeleteRunTagsInput, strawberry.argument(description="The run and the keys of the tags.")
    ],
) -> str:
    """Delete tags of a run and return its id."""
    context.operation.count_changes(len(input.keys))
    await writes_of(context).delete_run_tags(input.run_id, input.keys)
    return input.run_id


async def _update(context: FieldContext, run_id: str, update: RunUpdate) -> str:
    context.operation.count_changes(1)
    await writes_of(context).update_run(run_id, update)
    return run_id


async def _log(context: FieldContext, run_id: str, batch: Batch) -> str:
    context.operation.count_changes(len(batch.metrics) + len(batch.params) + len(batch.tags))
    await writes_of(context).log_batch(run_id, batch)
    return run_id
