"""The root fields of what changes while runs are training. `Query` and `Subscription` have them both."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, View, given
from schema.types.comparison import RunComparison, resolve_compare_runs
from schema.types.connection import connection_reads
from schema.types.experiment import Experiment
from schema.types.experiment_scope import ExperimentIds, ExperimentNames, experiment_scope, scope_reads
from schema.types.experiment_search import ExperimentConnection, resolve_experiments
from schema.types.filter_inputs import RunWhere
from schema.types.run import Run
from schema.types.run_connection import RunConnection
from schema.types.run_groups import RunGroup, resolve_run_groups
from schema.types.run_search import Filter, OrderBy, connect_runs, run_search

_ExperimentId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The MLflow id of the experiment.")
]
_ExperimentName = Annotated[str | None, strawberry.argument(description="The exact name of the experiment.")]


async def _resolve_experiment(
    _root: Table,
    context: FieldContext,
    experiment_id: _ExperimentId = strawberry.UNSET,
    name: _ExperimentName = strawberry.UNSET,
) -> One:
    experiment_id, name = given(experiment_id), given(name)
    columns = context.columns(())
    if experiment_id is not None and name is None:
        return await context.tracking.experiments_by_id([experiment_id], columns)
    if name is not None and experiment_id is None:
        return await context.tracking.experiments_by_name([name], columns)
    message = "experiment takes exactly one of experimentId and name."
    raise BadUserInput(message)


async def _resolve_run(
    _root: Table,
    context: FieldContext,
    run_id: Annotated[strawberry.ID, strawberry.argument(description="The MLflow id of the run.")],
) -> One:
    return await context.tracking.runs_by_id([run_id], context.columns(()))


async def _resolve_runs(
    root: Table,
    context: FieldContext,
    experiment_ids: ExperimentIds = strawberry.UNSET,
    experiment_names: ExperimentNames = strawberry.UNSET,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    order_by: OrderBy = strawberry.UNSET,
    view: View = LifecycleView.ACTIVE,
) -> One:
    scope = await experiment_scope(context, "runs", given(experiment_ids), given(experiment_names))
    search = run_search(context, where, filter, order_by, view)
    return One(await connect_runs(context, [scope], search, first, given(after)), range(root.size))


@strawberry.type(description="The root fields that queries and subscriptions have.")
class LiveFields:
    """The root fields of experiments and runs, with the same arguments and types in both root types."""

    experiment: Experiment | None = batched_field(
        _resolve_experiment,
        description=(
            "An active or deleted experiment by its id or its name. Exactly one of the two is required. Null "
            "if it does not exist."
        ),
    )
    experiments: ExperimentConnection = batched_field(
        resolve_experiments, description="A search for experiments.", reads=connection_reads
    )
    run: Run | None = batched_field(
        _resolve_run, description="An active or deleted run by its id; null if it does not exist."
    )
    runs: RunConnection = batched_field(
        _resolve_runs,
        description="A search for runs in the given experiments, or in all active experiments.",
        reads=lambda field: connection_reads(field) + scope_reads(field),
    )
    run_groups: list[RunGroup] = batched_field(
        resolve_run_groups,
        description=(
            "Groups of the matching runs, with the number of runs and statistics of their metrics. A group "
            "whose key has a missing value comes last. More groups than the server's limit "
            "(GQL_MAX_GROUPS) are a LIMIT_EXCEEDED error."
        ),
        reads=lambda field: 1 + scope_reads(field),
    )
    compare_runs: RunComparison = batched_field(
        resolve_compare_runs,
        description=(
            "The params, metrics and tags of several runs side by side, up to the server's limit "
            "(GQL_MAX_COMPARED_RUNS, 100 by default). An id that does not exist is a NOT_FOUND error."
        ),
    )
