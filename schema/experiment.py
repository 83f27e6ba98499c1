"""Experiments: the folders that runs are kept in."""

from typing import Annotated

import strawberry

from schema.across import Ask, across
from schema.arguments import DEFAULT_FIRST, After, First, Keys, View, given
from schema.lifecycle import LifecycleStage, LifecycleView
from schema.node import Node, global_id_field
from schema.pairs import Tag, all_of, value_of
from schema.runs import Filter, OrderBy, RunConnection, connect_runs, run_search
from schema.scalars import DateTime
from schema.table import Many, One, Table
from schema.tracking import Scope


async def _tags(experiments: Table, ask: Ask, keys: Keys = strawberry.UNSET) -> Many:
    ids = experiments["experiment_id"]
    return await all_of(experiments, "tags", keys, lambda some: ask.tracking.experiment_tags(ids, some))


async def _tag(
    experiments: Table, ask: Ask, key: Annotated[str, strawberry.argument(description="The tag's name.")]
) -> list[str | None]:
    ids = experiments["experiment_id"]
    return await value_of(experiments, "tags", key, lambda some: ask.tracking.experiment_tags(ids, some))


async def _runs(
    experiments: Table,
    ask: Ask,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    filter: Filter = strawberry.UNSET,  # noqa: A002 - the public name
    order_by: OrderBy = strawberry.UNSET,
    view: View = LifecycleView.ACTIVE,
) -> One:
    search = run_search(given(filter), given(order_by), view)
    scopes: list[Scope] = [(experiment_id,) for experiment_id in experiments["experiment_id"]]
    connections = await connect_runs(ask, scopes, search, first, given(after))
    return One(connections, range(experiments.size))


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
    tags: list[Tag] = across(_tags, description="Tags, sorted by key.", needs=("experiment_id", "tags"))
    tag: str | None = across(
        _tag, description="One tag's value; null when it is not set.", needs=("experiment_id", "tags")
    )
    runs: RunConnection = across(_runs, description="The experiment's runs.", needs=("experiment_id",))
