"""The root type of queries."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import One, Row, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, View, given
from schema.types.comparison import RunComparison, resolve_compare_runs
from schema.types.connection import connection_reads
from schema.types.experiment import Experiment
from schema.types.experiment_scope import ExperimentIds, ExperimentNames, experiment_scope, scope_reads
from schema.types.experiment_search import ExperimentConnection, resolve_experiments
from schema.types.filter_inputs import RunWhere
from schema.types.flat_rows import RowQuery
from schema.types.model_version import ModelVersion, version_key
from schema.types.model_version_connection import resolve_model_version
from schema.types.node import Node, split_global_id
from schema.types.registered_model import RegisteredModel
from schema.types.registered_model_search import (
    RegisteredModelConnection,
    resolve_registered_model,
    resolve_registered_models,
)
from schema.types.run import Run
from schema.types.run_connection import RunConnection
from schema.types.run_groups import RunGroup, resolve_run_groups
from schema.types.run_search import Filter, OrderBy, connect_runs, run_search
from schema.types.server import Server, resolve_server

_ExperimentId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The MLflow id of the experiment.")
]
_ExperimentName = Annotated[str | None, strawberry.argument(description="The exact name of the experiment.")]


def _look_ups(context: FieldContext) -> dict[str, Callable[[list[str], frozenset[str]], Awaitable[One]]]:
    """Return the lookup of each type of node, from local ids and columns."""
    tracking = context.tracking
    registry = tracking.registry
    return {
        "Experiment": tracking.experiments_by_id,
        "Run": tracking.runs_by_id,
        "LoggedModel": tracking.models.by_id,
        "RegisteredModel": registry.models_by_name,
        "ModelVersion": lambda ids, columns: registry.versions_by_key(list(map(version_key, ids)), columns),
    }


async def _find_nodes(context: FieldContext, ids: list[str]) -> list[Row | None]:
    """Return the nodes with these global ids, with one lookup for each type."""
    look_ups = _look_ups(context)
    keys = [split_global_id(text, look_ups) for text in ids]
    nodes: dict[tuple[str, str], Row] = {}
    for type_name, look_up in look_ups.items():
        local_ids = list(dict.fromkeys(local_id for name, local_id in keys if name == type_name))
        if local_ids:
            result = await look_up(local_ids, context.columns((), on=type_name))
            table = replace(result.rows, type_name=type_name)
            indexes = zip(local_ids, result.index, strict=True)
            nodes |= {(type_name, id_): Row(table, index) for id_, index in indexes if index is not None}
    return [nodes.get(key) for key in keys]


async def _resolve_node(
    _root: Table,
    context: FieldContext,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],  # noqa: A002
) -> list[Row | None]:
    return await _find_nodes(context, [id])


async def _resolve_nodes(
    _root: Table,
    context: FieldContext,
    ids: Annotated[
        list[strawberry.ID],
        strawberry.argument(description="The global ids, up to the server's limit (GQL_MAX_PAGE_SIZE)."),
    ],
) -> list[list[Row | None]]:
    limit = context.operation.limits.max_page_size
    if len(ids) > limit:
        message = f"ids may have at most {limit} ids (GQL_MAX_PAGE_SIZE), not {len(ids)}."
        raise BadUserInput(message)
    return [await _find_nodes(context, list(ids))]


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


@strawberry.type(description="The root type of queries.")
class Query(RowQuery):
    """The root type of queries."""

    node: Node | None = batched_field(
        _resolve_node, description="The object with a global id; null if it does not exist."
    )
    nodes: list[Node | None] = batched_field(
        _resolve_nodes,
        description=(
            "The objects with the given global ids, in the same order; null if an object does not exist."
        ),
        reads=5,  # one for each type
    )
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
    registered_model: RegisteredModel | None = batched_field(
        resolve_registered_model, description="A registered model by its name; null if it does not exist."
    )
    registered_models: RegisteredModelConnection = batched_field(
        resolve_registered_models,
        description=(
            "A search for registered models, sorted by name. Prompts are included only if the filter selects "
            "them."
        ),
        reads=connection_reads,
    )
    model_version: ModelVersion | None = batched_field(
        resolve_model_version,
        description=(
            "A version of a registered model by its number or an alias. Exactly one of the two is required. "
            "Null if it does not exist."
        ),
        reads=lambda field: 1 + int(field.has_argument("alias")),
    )
    server: Server = batched_field(
        resolve_server,
        description="This server and its tracking store.",
        reads=lambda field: int(field.selects(("databaseRevision",)) or field.selects(("features",))),
    )
