"""Experiments: the folders that runs are kept in."""

import math
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.condition import AllOf, Predicate
from schema.ports.lifecycle import LifecycleStage, LifecycleView
from schema.ports.related_rows import related_rows, related_values
from schema.ports.table import Many, One, Table
from schema.ports.tracking import LoggedKind, Order, Page, Scope, Search
from schema.types.arguments import DEFAULT_FIRST, After, First, Keys, View, given
from schema.types.filter_inputs import RunWhere
from schema.types.key_values import Tag
from schema.types.logged_model_connection import LoggedModelConnection, models_of_experiments
from schema.types.node import Node, global_id_field
from schema.types.run import Run
from schema.types.run_connection import RunConnection
from schema.types.run_search import Filter, OrderBy, connect_runs, run_search
from schema.types.scalars import DateTime


async def _tags(experiments: Table, context: FieldContext, keys: Keys = strawberry.UNSET) -> Many:
    ids = experiments["experiment_id"]
    return await related_rows(
        experiments, "tags", given(keys), lambda some: context.tracking.experiment_tags(ids, some)
    )


async def _tag(
    experiments: Table,
    context: FieldContext,
    key: Annotated[str, strawberry.argument(description="The tag's name.")],
) -> list[str | None]:
    ids = experiments["experiment_id"]
    return await related_values(
        experiments, "tags", key, lambda some: context.tracking.experiment_tags(ids, some)
    )


async def _runs(
    experiments: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    where: RunWhere = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    order_by: OrderBy = strawberry.UNSET,
    view: View = LifecycleView.ACTIVE,
) -> One:
    search = run_search(context, where, filter, order_by, view)
    scopes: list[Scope] = [(experiment_id,) for experiment_id in experiments["experiment_id"]]
    connections = await connect_runs(context, scopes, search, first, given(after))
    return One(connections, range(experiments.size))


@strawberry.enum(description="Which end of a metric is best.")
class Goal(Enum):
    """The direction of an optimization."""

    MAXIMIZE = strawberry.enum_value("MAXIMIZE", description="The largest value is best.")
    MINIMIZE = strawberry.enum_value("MINIMIZE", description="The smallest value is best.")


async def _best_run(
    experiments: Table,
    context: FieldContext,
    metric: Annotated[str, strawberry.argument(description="The metric's key: its last value counts.")],
    goal: Annotated[Goal, strawberry.argument(description="Which end is best.")] = Goal.MAXIMIZE,
) -> One:
    search = Search(
        where=AllOf(
            (
                Predicate("attribute", "status", "eq", "FINISHED"),
                # Every value but a NaN.
                Predicate("metric", metric, "gte", -math.inf),
            )
        ),
        order=(Order("metric", metric, descending=goal is Goal.MAXIMIZE),),
    )
    scopes: list[Scope] = [(experiment_id,) for experiment_id in experiments["experiment_id"]]
    pages = await context.tracking.runs(
        scopes, search, Page(first=1, after=None, columns=context.columns(()))
    )
    return One(pages.rows, [start if stop > start else None for start, stop in pages.spans])


def _keys(by: LoggedKind) -> Any:
    async def answer(experiments: Table, context: FieldContext) -> Sequence[Sequence[str]]:
        return await context.tracking.logged_keys(by, experiments["experiment_id"])

    return batched_field(
        answer,
        description=f"The distinct keys of the {by}s that its active runs have, sorted.",
        requires=("experiment_id",),
    )


@strawberry.type(description="An experiment: a named set of runs.")
class Experiment(Node):
    """MLflow's Experiment."""

    id: strawberry.ID = global_id_field("Experiment", "experiment_id")
    experiment_id: strawberry.ID = strawberry.field(description="MLflow's id of the experiment.")
    name: str = strawberry.field(description="The name, unique in the store.")
    artifact_location: str | None = strawberry.field(description="Where its runs keep their artifacts.")
    lifecycle_stage: LifecycleStage = strawberry.field(description="Whether the experiment is deleted.")
    created_at: DateTime | None = strawberry.field(description="When it was created, if the store knows.")
    updated_at: DateTime | None = strawberry.field(
        description="When it was last changed itself, its runs apart, if the store knows."
    )
    tags: list[Tag] = batched_field(
        _tags, description="Tags, sorted by key.", requires=("experiment_id", "tags")
    )
    tag: str | None = batched_field(
        _tag, description="One tag's value; null when it is not set.", requires=("experiment_id", "tags")
    )
    runs: RunConnection = batched_field(
        _runs, description="The experiment's runs.", requires=("experiment_id",)
    )
    best_run: Run | None = batched_field(
        _best_run,
        description=(
            "The best run by a metric's last value among the finished active runs, of equals the one with "
            "the least id; null when none has a value."
        ),
        requires=("experiment_id",),
    )
    metric_keys: list[str] = _keys("metric")
    param_keys: list[str] = _keys("param")
    tag_keys: list[str] = _keys("tag")
    logged_models: LoggedModelConnection = batched_field(
        models_of_experiments,
        description="The experiment's logged models, the newest first.",
        requires=("experiment_id",),
    )
