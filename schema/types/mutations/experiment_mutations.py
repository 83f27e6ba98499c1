"""The mutations of experiments: their inputs and their payload."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.types.arguments import given
from schema.types.experiment import Experiment
from schema.types.mutations.log_inputs import TagInput, key_values
from schema.types.mutations.mutation_payload import make_payload, writes_of

_ID = "The MLflow id of the experiment."

EXPERIMENT_PAYLOAD = make_payload(Experiment, "experiment", lambda tracking: tracking.experiments_by_id)


@strawberry.input(description="An experiment to create.")
class CreateExperimentInput:
    """The arguments of MLflow's create_experiment."""

    name: str = strawberry.field(
        description="The name. It must be unique among all experiments, including deleted ones."
    )
    artifact_location: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The URI below which its runs store their artifacts. Default: the store's own location.",
    )
    tags: list[TagInput] | None = strawberry.field(default=strawberry.UNSET, description="The tags to set.")


@strawberry.input(description="An experiment to rename.")
class RenameExperimentInput:
    """The arguments of MLflow's rename_experiment."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    name: str = strawberry.field(
        description="The new name. It must be unique among all experiments, including deleted ones."
    )


@strawberry.input(description="An experiment to delete or to restore.")
class ExperimentIdInput:
    """The argument of MLflow's delete_experiment and restore_experiment."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Tags to set on an experiment.")
class SetExperimentTagsInput:
    """The arguments of MLflow's set_experiment_tag, for several tags."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    tags: list[TagInput] = strawberry.field(description="The tags. They are set one after another.")


@strawberry.input(description="Tags to delete from an experiment.")
class DeleteExperimentTagsInput:
    """The arguments of MLflow's delete_experiment_tag, for several tags."""

    experiment_id: strawberry.ID = strawberry.field(description=_ID)
    keys: list[str] = strawberry.field(description="The keys of the tags. Each tag must be set.")


async def create_experiment(
    context: FieldContext,
    input: Annotated[  # noqa: A002 - the public name
        CreateExperimentInput, strawberry.argument(description="The experiment to create.")
    ],
) -> str:
    """Create an experiment and return its id."""
    tags = key_values(input.tags)
    context.operation.count_changes(1 + len(tags))
    return await writes_of(context).create_experiment(input.name, given(input.artifact_location), tags)


async def rename_experiment(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        RenameExperimentInput, strawberry.argument(description="The experiment and its new name.")
    ],
) -> str:
    """Rename an experiment and return its id."""
    context.operation.count_changes(1)
    await writes_of(context).rename_experiment(input.experiment_id, input.name)
    return input.experiment_id


async def delete_experiment(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        ExperimentIdInput, strawberry.argument(description="The experiment to delete.")
    ],
) -> str:
    """Delete an experiment and return its id."""
    context.operation.count_changes(1)
    await writes_of(context).delete_experiment(input.experiment_id)
    return input.experiment_id


async def restore_experiment(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        ExperimentIdInput, strawberry.argument(description="The experiment to restore.")
    ],
) -> str:
    """Restore an experiment and return its id."""
    context.operation.count_changes(1)
    await writes_of(context).restore_experiment(input.experiment_id)
    return input.experiment_id


async def set_experiment_tags(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        SetExperimentTagsInput, strawberry.argument(description="The experiment and its tags.")
    ],
) -> str:
    """Set tags of an experiment and return its id."""
    context.operation.count_changes(len(input.tags))
    await writes_of(context).set_experiment_tags(input.experiment_id, key_values(input.tags))
    return input.experiment_id


async def delete_experiment_tags(
    context: FieldContext,
    input: Annotated[  # noqa: A002
        DeleteExperimentTagsInput,
        strawberry.argument(description="The experiment and the keys of the tags."),
    ],
) -> str:
    """Delete tags of an experiment and return its id."""
    context.operation.count_changes(len(input.keys))
    await writes_of(context).delete_experiment_tags(input.experiment_id, input.keys)
    return input.experiment_id
