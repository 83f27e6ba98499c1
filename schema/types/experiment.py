"""Experiments: named sets of runs."""

import math
from collections.abc import Awaitable, Sequence
from enum import Enum
from typing import Annotated, Any, Final

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.engine.required_columns import KeyedColumn
from schema.ports.condition import AllOf, Predicate
from schema.ports.errors import LimitExceeded
from schema.ports.lifecycle import LifecycleStage, LifecycleView
from schema.ports.related_rows import Values, related_rows, related_values
from schema.ports.table import Many, One, Table
from schema.ports.tracking import LoggedKind, Order, Page, Scope, Search
from schema.types.arguments import DEFAULT_FIRST, After, First, Keys, View, given, requested_keys
from schema.types.connection import connection_reads
from schema.types.filter_inputs import RunWhere
from schema.types.key_values import Tag
from schema.types.logged_model_connection import LoggedModelConnection, resolve_models_of_experiments
from schema.types.node import Node, global_id_field
from schema.types.run import Run
from schema.types.run_connection import RunConnection
from schema.types.run_search import Filter, OrderBy, connect_runs, run_search
from schema.types.scalars import DateTime


def _resolve_tags(
    experiments: Table, context: FieldContext, keys: Keys = strawberry.UNSET
) -> Many | Awaitable[Many]:
    ids = experiments["experiment_id"]
    return related_rows(
        experiments,
        "tags",
        requested_keys(context, keys),
        lambda selected: context.tracking.experiment_tags(ids, selected),
    )


def _resolve_tag(
    experiments: Table,
    context: FieldContext,
    key: Annotated[str, strawberry.argument(description="The key of the tag.")],
) -> Values | Awaitable[Values]:
    ids = experiments["experiment_id"]
    return related_values(
        experiments, "tags", key, lambda selected: context.tracking.experiment_tags(ids, selected)
    )


async def _resolve_runs(
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


@strawberry.enum(description="Whether the largest or the smallest value of a metric is the best.")
class Goal(Enum):
    """The direction of an optimization."""

    MAXIMIZE = strawberry.enum_value("MAXIMIZE", description="The largest value is best.")
    MINIMIZE = strawberry.enum_value("MINIMIZE", description="The smallest value is best.")


async def _resolve_best_run(
    experiments: Table,
    context: FieldContext,
    metric: Annotated[
        str, strawberry.argument(description="The key of the metric. Its last value is compared.")
    ],
    goal: Annotated[
        Goal, strawberry.argument(description="Whether the largest or the smallest value is the best.")
    ] = Goal.MAXIMIZE,
) -> One:
    search = Search(
        where=AllOf(
            (
                Predicate("attribute", "status", "eq", "FINISHED"),
                # Excludes NaN only.
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


_TOO_MANY_KEYS: Final = (
    "The keys of this experiment exceed a limit: GQL_MAX_GROUPS keys of the requested experiments, or "
    "GQL_MAX_SCANNED_RUNS runs that this server reads for them. Request fewer experiments."
)


def _keys_field(kind: LoggedKind) -> Any:
    async def resolve_keys(
        experiments: Table, context: FieldContext
    ) -> Sequence[Sequence[str] | LimitExceeded]:
        keys = await context.tracking.logged_keys(kind, experiments["experiment_id"])
        return [LimitExceeded(_TOO_MANY_KEYS) if each is None else each for each in keys]

    return batched_field(
        resolve_keys,
        description=(
            f"The distinct keys of the {kind}s of its active runs, sorted; null with an error if they cannot "
            "be read."
        ),
        requires=("experiment_id",),
    )


@strawberry.type(description="An experiment: a named set of runs.")
class Experiment(Node):
    """MLflow's Experiment."""

    id: strawberry.ID = global_id_field("Experiment", "experiment_id")
    experiment_id: strawberry.ID = strawberry.field(description="The MLflow id of the experiment.")
    name: str = strawberry.field(description="The name of the experiment, unique in the store.")
    artifact_location: str | None = strawberry.field(
        description="The URI below which its runs store their artifacts."
    )
    lifecycle_stage: LifecycleStage = strawberry.field(
        description="Whether the experiment is active or deleted."
    )
    created_at: DateTime | None = strawberry.field(
        description="The time of creation; null if the store does not record it."
    )
    updated_at: DateTime | None = strawberry.field(
        description=(
            "The time of the last change to the experiment itself, not to its runs; null if the store does "
            "not record it."
        )
    )
    tags: list[Tag] = batched_field(
        _resolve_tags,
        description="The tags of the experiment, sorted by key.",
        requires=("experiment_id", KeyedColumn("tags", "keys")),
        reads=1,
    )
    tag: str | None = batched_field(
        _resolve_tag,
        description="The value of one tag; null if it is not set.",
        requires=("experiment_id", KeyedColumn("tags", "key")),
        reads=1,
    )
    runs: RunConnection = batched_field(
        _resolve_runs,
        description="The runs of the experiment.",
        requires=("experiment_id",),
        reads=connection_reads,
    )
    best_run: Run | None = batched_field(
        _resolve_best_run,
        description=(
            "The active run with status FINISHED that has the best last value of a metric. If several runs "
            "have it, the one with the smallest id. Null if no run has a value; NaN does not count."
        ),
        requires=("experiment_id",),
    )
    metric_keys: list[str] | None = _keys_field("metric")
    param_keys: list[str] | None = _keys_field("param")
    tag_keys: list[str] | None = _keys_field("tag")
    logged_models: LoggedModelConnection = batched_field(
        resolve_models_of_experiments,
        description="The logged models of the experiment, newest first.",
        requires=("experiment_id",),
        reads=connection_reads,
    )
