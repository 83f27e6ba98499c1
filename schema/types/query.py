"""The root of all queries."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import One, Row, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, View, given
from schema.types.comparison import RunComparison, compare_runs
from schema.types.experiment import Experiment
from schema.types.experiment_scope import ExperimentIds, ExperimentNames, scope_of
from schema.types.experiment_search import ExperimentConnection, search_experiments
from schema.types.filter_inputs import RunWhere
from schema.types.flat_rows import RowQuery
from schema.types.model_version import ModelVersion, key_of
from schema.types.model_version_connection import find_version
from schema.types.node import Node, split_global_id
from schema.types.registered_model import RegisteredModel
from schema.types.registered_model_search import RegisteredModelConnection, find_model, search_models
from schema.types.run import Run
from schema.types.run_connection import RunConnection
from schema.types.run_groups import RunGroup, group_runs
from schema.types.run_search import Filter, OrderBy, connect_runs, run_search
from schema.types.server import Server, describe_server

_EXPERIMENT_ID = Annotated[strawberry.ID | None, strawberry.argument(description="MLflow's id of it.")]
_NAME = Annotated[str | None, strawberry.argument(description="Its exact name.")]


def _look_ups(context: FieldContext) -> dict[str, Callable[[list[str], frozenset[str]], Awaitable[One]]]:
    tracking = context.tracking
    registry = tracking.registry
    return {
        "Experiment": tracking.experiments_by_id,
        "Run": tracking.runs_by_id,
        "LoggedModel": tracking.models.by_id,
        "RegisteredModel": registry.models_by_name,
        "ModelVersion": lambda ids, columns: registry.versions_by_key(list(map(key_of, ids)), columns),
    }


async def _find(context: FieldContext, ids: list[str]) -> list[Row | None]:
    """Return the nodes with these global ids; each type is looked up once."""
    look_ups = _look_ups(context)
    split = [split_global_id(text, look_ups) for text in ids]
    found: dict[tuple[str, str], Row] = {}
    for type_name, look_up in look_ups.items():
        own_ids = list(dict.fromkeys(own_id for name, own_id in split if name == type_name))
        if own_ids:
            one = await look_up(own_ids, context.columns((), on=type_name))
            table = replace(one.rows, type_name=type_name)
            places = zip(own_ids, one.index, strict=True)
            found |= {(type_name, own): Row(table, place) for own, place in places if place is not None}
    return [found.get(key) for key in split]


async def _node(
    _root: Table,
    context: FieldContext,
    id: Annotated[strawberry.ID, strawberry.argument(description="The global id.")],  # noqa: A002
) -> list[Row | None]:
    return await _find(context, [id])


async def _nodes(
    _root: Table,
    context: FieldContext,
    ids: Annotated[list[strawberry.ID], strawberry.argument(description="The global ids.")],
) -> list[list[Row | None]]:
    most = context.operation.limits.max_page_size
    if len(ids) > most:
        message = f"ids may name at most {most} nodes (GQL_MAX_PAGE_SIZE), not {len(ids)}."
        raise BadUserInput(message)
    return [await _find(context, list(ids))]


async def _experiment(
    _root: Table,
    context: FieldContext,
    experiment_id: _EXPERIMENT_ID = strawberry.UNSET,
    name: _NAME = strawberry.UNSET,
) -> One:
    experiment_id, name = given(experiment_id), given(name)
    columns = context.columns(())
    if experiment_id is not None and name is None:
        return await context.tracking.experiments_by_id([experiment_id], columns)
    if name is not None and experiment_id is None:
        return await context.tracking.experiments_by_name([name], columns)
    message = "experiment takes exactly one of experimentId and name."
    raise BadUserInput(message)


async def _run(
    _root: Table,
    context: FieldContext,
    run_id: Annotated[strawberry.ID, strawberry.argument(description="MLflow's id of the run.")],
) -> One:
    return await context.tracking.runs_by_id([run_id], context.columns(()))


async def _runs(
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
    scope = await scope_of(context, "runs", given(experiment_ids), given(experiment_names))
    search = run_search(context, where, filter, order_by, view)
    return One(await connect_runs(context, [scope], search, first, given(after)), range(root.size))


@strawberry.type(description="What can be asked.")
class Query(RowQuery):
    """The root type of queries."""

    node: Node | None = batched_field(
        _node, description="Any node by its global id; null when there is none."
    )
    nodes: list[Node | None] = batched_field(
        _nodes, description="Nodes by their global ids, in the order asked for; null where there is none."
    )
    experiment: Experiment | None = batched_field(
        _experiment,
        description=(
            "One experiment, deleted or not, by exactly one of its id and its name; null when there is none."
        ),
    )
    experiments: ExperimentConnection = batched_field(search_experiments, description="Experiments.")
    run: Run | None = batched_field(_run, description="One run, deleted or not; null when there is none.")
    runs: RunConnection = batched_field(
        _runs, description="Runs of the experiments given, or of all active experiments."
    )
    run_groups: list[RunGroup] = batched_field(
        group_runs,
        description="The runs that match, grouped, with how the last values of their metrics are spread.",
    )
    compare_runs: RunComparison = batched_field(
        compare_runs,
        description=(
            "Up to 100 runs side by side, or as many as the server is set to; a run that is not there is an "
            "error that names it."
        ),
    )
    registered_model: RegisteredModel | None = batched_field(
        find_model, description="One registered model; null when there is none."
    )
    registered_models: RegisteredModelConnection = batched_field(
        search_models, description="Registered models, by name; prompts only where the filter asks for them."
    )
    model_version: ModelVersion | None = batched_field(
        find_version,
        description=(
            "One version of a registered model, by exactly one of its number and an alias; "
            "null when there is none."
        ),
    )
    server: Server = batched_field(describe_server, description="This server, and the store behind it.")
