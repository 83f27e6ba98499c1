"""The root of all mutations. They run one after another, and end at the first that fails."""

import strawberry

from schema.engine.batched_field import batched_field
from schema.types.mutations import experiment_mutations, run_mutations
from schema.types.mutations.experiment_mutations import ExperimentPayload
from schema.types.mutations.run_mutations import RunPayload


@strawberry.type(
    description=(
        "What can be changed, where the server lets it. The changes of a document are made one after another "
        "and end at the first that fails: the path of the error names it, those before it in the document "
        "were made, and those behind it were not."
    )
)
class Mutation:
    """The root type of mutations."""

    create_experiment: ExperimentPayload = batched_field(
        experiment_mutations.create_experiment, description="Create an experiment under a name that is free."
    )
    rename_experiment: ExperimentPayload = batched_field(
        experiment_mutations.rename_experiment, description="Give an active experiment another name."
    )
    delete_experiment: ExperimentPayload = batched_field(
        experiment_mutations.delete_experiment,
        description="Delete an active experiment and its runs; all can be restored.",
    )
    restore_experiment: ExperimentPayload = batched_field(
        experiment_mutations.restore_experiment, description="Restore a deleted experiment and its runs."
    )
    set_experiment_tags: ExperimentPayload = batched_field(
        experiment_mutations.set_experiment_tags, description="Set tags on an active experiment."
    )
    delete_experiment_tags: ExperimentPayload = batched_field(
        experiment_mutations.delete_experiment_tags, description="Delete tags from an active experiment."
    )
    start_run: RunPayload = batched_field(
        run_mutations.start_run, description="Start a run in an active experiment; it is RUNNING then."
    )
    end_run: RunPayload = batched_field(
        run_mutations.end_run,
        description=(
            "End a run; KILLED cancels it. A run that has ended gets the new status and end, as in MLflow."
        ),
    )
    update_run: RunPayload = batched_field(
        run_mutations.update_run, description="Change the name or the status of an active run."
    )
    delete_run: RunPayload = batched_field(
        run_mutations.delete_run,
        description="Delete a run; it can be restored, and takes nothing until then.",
    )
    restore_run: RunPayload = batched_field(run_mutations.restore_run, description="Restore a deleted run.")
    log_batch: RunPayload = batched_field(
        run_mutations.log_batch,
        description=(
            "Log params, metrics and tags to an active run, more than the store takes at once if need be. A "
            "param that is there already must have the same value. Where a part fails, what was sent before "
            "it is stored, and the error says how much that is."
        ),
    )
    set_run_tags: RunPayload = batched_field(
        run_mutations.set_run_tags, description="Set tags on an active run."
    )
    delete_run_tags: RunPayload = batched_field(
        run_mutations.delete_run_tags, description="Delete tags from an active run."
    )
