"""Changing runs: what the mutations take, and what they give back."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.run_status import RunStatus
from schema.ports.table import One, Table
from schema.ports.tracking_writes import Batch, NewRun, RunUpdate
from schema.types.arguments import given
from schema.types.mutations.log_inputs import MetricInput, ParamInput, TagInput, now, pairs, points
from schema.types.mutations.mutation_payload import changed, writing
from schema.types.run import Run
from schema.types.scalars import DateTime

_ID = "MLflow's id of the run."
_ENDED = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)


@strawberry.input(description="A run to start.")
class StartRunInput:
    """The arguments of MLflow's create_run, with the tags that MLflow's client would set."""

    experiment_id: strawberry.ID = strawberry.field(description="MLflow's id of its experiment.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its name; the store makes one up when left out."
    )
    tags: list[TagInput] | None = strawberry.field(default=strawberry.UNSET, description="Tags to set on it.")
    parent_run_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The run that it is a child of: sets mlflow.parentRunId."
    )
    started_at: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="When it started; now when left out."
    )
    user_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="Who started it: sets mlflow.user too."
    )


@strawberry.input(description="The end of a run.")
class EndRunInput:
    """The arguments of MLflow's set_terminated."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    status: RunStatus = strawberry.field(
        default=RunStatus.FINISHED, description="How it ended: FINISHED, FAILED or KILLED."
    )
    ended_at: DateTime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ended; now when left out."
    )


@strawberry.input(description="What is to be another about a run: its name, its status or both.")
class UpdateRunInput:
    """The arguments of MLflow's update_run."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    name: str | None = strawberry.field(default=strawberry.UNSET, description="The name that it gets.")
    status: RunStatus | None = strawberry.field(
        default=strawberry.UNSET, description="The status that it gets; its end stays as it is."
    )


@strawberry.input(description="A run to delete or to restore.")
class RunIdInput:
    """The argument of MLflow's delete_run and restore_run."""

    run_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="What to log to a run.")
class LogBatchInput:
    """The arguments of MLflow's log_batch, without its bounds."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    metrics: list[MetricInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Values of metrics, logged after the params."
    )
    params: list[ParamInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Params, logged first, each key once."
    )
    tags: list[TagInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Tags, set last; of two with one key the latter holds."
    )


@strawberry.input(description="Tags to set on a run.")
class SetRunTagsInput:
    """The arguments of MLflow's set_tag, for several tags."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    tags: list[TagInput] = strawberry.field(
        description="The tags; mlflow.runName is the run's name. Of two with one key the latter holds."
    )


@strawberry.input(description="Tags to delete from a run.")
class DeleteRunTagsInput:
    """The arguments of MLflow's delete_tag, for several tags."""

    run_id: strawberry.ID = strawberry.field(description=_ID)
    keys: list[str] = strawberry.field(description="The tags' names; each must be set.")


@strawberry.type(description="What a change of a run gives back.")
class RunPayload:
    """The run, for whatever is selected of it."""

    run: Run = strawberry.field(description="The run as it is now.")


async def start_run(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002 - the public name
        StartRunInput, strawberry.argument(description="The run to start.")
    ],
) -> One:
    """Start a run."""
    tags = pairs(input.tags)
    context.operation.count_changes(1 + len(tags))
    new = NewRun(
        experiment_id=input.experiment_id,
        name=given(input.name),
        tags=tags,
        parent_run_id=given(input.parent_run_id),
        started_at=given(input.started_at),
        user_id=given(input.user_id),
    )
    return await _payload(context, await writing(context).start_run(new))


async def end_run(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        EndRunInput, strawberry.argument(description="The run, and how and when it ended.")
    ],
) -> One:
    """End a run, also one that has ended."""
    if input.status not in _ENDED:
        message = "endRun takes the statuses FINISHED, FAILED and KILLED; updateRun takes all."
        raise BadUserInput(message)
    ended_at = given(input.ended_at)
    update = RunUpdate(status=input.status.name, ended_at=now() if ended_at is None else ended_at)
    return await _update(context, input.run_id, update)


async def update_run(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        UpdateRunInput, strawberry.argument(description="The run, and its new name or status.")
    ],
) -> One:
    """Change a run's name or status."""
    name, status = given(input.name), given(input.status)
    if name is None and status is None:
        message = "updateRun takes a name, a status or both."
        raise BadUserInput(message)
    return await _update(context, input.run_id, RunUpdate(name=name, status=status.name if status else None))


async def delete_run(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RunIdInput, strawberry.argument(description="The run to delete.")
    ],
) -> One:
    """Delete a run."""
    context.operation.count_changes(1)
    await writing(context).delete_run(input.run_id)
    return await _payload(context, input.run_id)


async def restore_run(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RunIdInput, strawberry.argument(description="The run to restore.")
    ],
) -> One:
    """Restore a run."""
    context.operation.count_changes(1)
    await writing(context).restore_run(input.run_id)
    return await _payload(context, input.run_id)


async def log_batch(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        LogBatchInput, strawberry.argument(description="The run, and what to log to it.")
    ],
) -> One:
    """Log to a run."""
    batch = Batch(points(input.metrics), pairs(input.params), pairs(input.tags))
    return await _log(context, input.run_id, batch)


async def set_run_tags(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        SetRunTagsInput, strawberry.argument(description="The run and its tags.")
    ],
) -> One:
    """Set tags of a run."""
    return await _log(context, input.run_id, Batch(tags=pairs(input.tags)))


async def delete_run_tags(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        DeleteRunTagsInput, strawberry.argument(description="The run and the tags' names.")
    ],
) -> One:
    """Delete tags of a run."""
    context.operation.count_changes(len(input.keys))
    await writing(context).delete_run_tags(input.run_id, input.keys)
    return await _payload(context, input.run_id)


async def _update(context: FieldContext, run_id: str, update: RunUpdate) -> One:
    context.operation.count_changes(1)
    await writing(context).update_run(run_id, update)
    return await _payload(context, run_id)


async def _log(context: FieldContext, run_id: str, batch: Batch) -> One:
    context.operation.count_changes(len(batch.metrics) + len(batch.params) + len(batch.tags))
    await writing(context).log_batch(run_id, batch)
    return await _payload(context, run_id)


async def _payload(context: FieldContext, run_id: str) -> One:
    return await changed(context, "run", run_id, context.tracking.runs_by_id)
