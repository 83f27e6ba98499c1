"""Changing experiments: what the mutations take, and what they give back."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.table import One, Table
from schema.types.arguments import given
from schema.types.experiment import Experiment
from schema.types.mutations.log_inputs import TagInput, pairs
from schema.types.mutations.mutation_payload import changed, writing

_ID = "MLflow's id of the experiment."


@strawberry.input(description="An experiment to create.")
class CreateExperimentInput:
    """The arguments of MLflow's create_experiment."""

    name: str = strawberry.field(description="Its name, which no other has, deleted ones included.")
    artifact_location: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where its runs are to keep their artifacts; where the store keeps all, when left out.",
    )
    tags: list[TagInput] | None = strawberry.field(default=strawberry.UNSET, description="Tags to set on it.")


@strawberry.input(description="Another name for an experiment.")
class RenameExperimentInput:
    """The arguments of MLflow's rename_experiment."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    name: str = strawberry.field(description="The name that it gets, which no other experiment has.")


@strawberry.input(description="An experiment to delete or to restore.")
class ExperimentIdInput:
    """The argument of MLflow's delete_experiment and restore_experiment."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Tags to set on an experiment.")
class SetExperimentTagsInput:
    """The arguments of MLflow's set_experiment_tag, for several tags."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    tags: list[TagInput] = strawberry.field(description="The tags, set one after another.")


@strawberry.input(description="Tags to delete from an experiment.")
class DeleteExperimentTagsInput:
    """The arguments of MLflow's delete_experiment_tag, for several tags."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    keys: list[str] = strawberry.field(description="The tags' names; each must be set.")


@strawberry.type(description="What a change of an experiment gives back.")
class ExperimentPayload:
    """The experiment, for whatever is selected of it."""

    experiment: Experiment = strawberry.field(description="The experiment as it is now.")


async def create_experiment(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002 - the public name
        CreateExperimentInput, strawberry.argument(description="The experiment to create.")
    ],
) -> One:
    """Create an experiment."""
    tags = pairs(input.tags)
    context.operation.count_changes(1 + len(tags))
    location = given(input.artifact_location)
    return await _payload(context, await writing(context).create_experiment(input.name, location, tags))


async def rename_experiment(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RenameExperimentInput, strawberry.argument(description="The experiment and its new name.")
    ],
) -> One:
    """Rename an experiment."""
    context.operation.count_changes(1)
    await writing(context).rename_experiment(input.experiment_id, input.name)
    return await _payload(context, input.experiment_id)


async def delete_experiment(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        ExperimentIdInput, strawberry.argument(description="The experiment to delete.")
    ],
) -> One:
    """Delete an experiment."""
    context.operation.count_changes(1)
    await writing(context).delete_experiment(input.experiment_id)
    return await _payload(context, input.experiment_id)


async def restore_experiment(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        ExperimentIdInput, strawberry.argument(description="The experiment to restore.")
    ],
) -> One:
    """Restore an experiment."""
    context.operation.count_changes(1)
    await writing(context).restore_experiment(input.experiment_id)
    return await _payload(context, input.experiment_id)


async def set_experiment_tags(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        SetExperimentTagsInput, strawberry.argument(description="The experiment and its tags.")
    ],
) -> One:
    """Set tags of an experiment."""
    context.operation.count_changes(len(input.tags))
    await writing(context).set_experiment_tags(input.experiment_id, pairs(input.tags))
    return await _payload(context, input.experiment_id)


async def delete_experiment_tags(
    _root: Table,
    context: FieldContext,
    input: Annotated[  # noqa: A002
        DeleteExperimentTagsInput, strawberry.argument(description="The experiment and the tags' names.")
    ],
) -> One:
    """Delete tags of an experiment."""
    context.operation.count_changes(len(input.keys))
    await writing(context).delete_experiment_tags(input.experiment_id, input.keys)
    return await _payload(context, input.experiment_id)


async def _payload(context: FieldContext, experiment_id: str) -> One:
    return await changed(context, "experiment", experiment_id, context.tracking.experiments_by_id)
