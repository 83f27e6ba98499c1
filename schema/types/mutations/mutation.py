"""The root type of mutations."""

import strawberry

from schema.types.mutations import experiment_mutations, run_mutations
from schema.types.mutations.experiment_mutations import EXPERIMENT_PAYLOAD
from schema.types.mutations.mutation_payload import mutation_field
from schema.types.mutations.run_mutations import RUN_PAYLOAD


@strawberry.type(
    description=(
        "The root type of mutations, if the server permits changes. The fields of a document run one after "
        "another, and the first error ends the mutation: the changes of the fields before it were made, the "
        "changes of the fields after it were not. The path of the error names the failed field."
    )
)
class Mutation:
    """The root type of mutations."""

    create_experiment = mutation_field(
        experiment_mutations.create_experiment, EXPERIMENT_PAYLOAD, description="Create an experiment."
    )
    rename_experiment = mutation_field(
        experiment_mutations.rename_experiment, EXPERIMENT_PAYLOAD, description="Rename an active experiment."
    )
    delete_experiment = mutation_field(
        experiment_mutations.delete_experiment,
        EXPERIMENT_PAYLOAD,
        description="Delete an active experiment and its runs. They can be restored.",
    )
    restore_experiment = mutation_field(
        experiment_mutations.restore_experiment,
        EXPERIMENT_PAYLOAD,
        description="Restore a deleted experiment and its runs.",
    )
    set_experiment_tags = mutation_field(
        experiment_mutations.set_experiment_tags,
        EXPERIMENT_PAYLOAD,
        description="Set tags on an active experiment.",
    )
    delete_experiment_tags = mutation_field(
        experiment_mutations.delete_experiment_tags,
        EXPERIMENT_PAYLOAD,
        description="Delete tags from an active experiment.",
    )
    start_run = mutation_field(
        run_mutations.start_run,
        RUN_PAYLOAD,
        description="Start a run in an active experiment. Its status is RUNNING.",
    )
    end_run = mutation_field(
        run_mutations.end_run,
        RUN_PAYLOAD,
        description=(
            "End a run. The status KILLED cancels it. As in MLflow, a run that has ended before gets the new "
            "status and end time."
        ),
    )
    update_run = mutation_field(
        run_mutations.update_run, RUN_PAYLOAD, description="Change the name or the status of an active run."
    )
    delete_run = mutation_field(
        run_mutations.delete_run,
        RUN_PAYLOAD,
        description="Delete a run. It can be restored; until then it accepts no changes.",
    )
    restore_run = mutation_field(run_mutations.restore_run, RUN_PAYLOAD, description="Restore a deleted run.")
    log_batch = mutation_field(
        run_mutations.log_batch,
        RUN_PAYLOAD,
        description=(
            "Log params, metrics and tags to an active run. A batch that exceeds the store's limits is split "
            "into several calls. A param that exists must have the same value. If a call fails, the data of "
            "earlier calls is stored, and the error message reports how much."
        ),
    )
    set_run_tags = mutation_field(
        run_mutations.set_run_tags, RUN_PAYLOAD, description="Set tags on an active run."
    )
    delete_run_tags = mutation_field(
        run_mutations.delete_run_tags, RUN_PAYLOAD, description="Delete tags from an active run."
    )
