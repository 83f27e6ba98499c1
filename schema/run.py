"""Runs: what was done once, with its parameters, metrics and tags."""

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.across import Ask, across
from schema.arguments import Keys
from schema.lifecycle import LifecycleStage
from schema.metric import Metric
from schema.node import Node, global_id_field
from schema.pairs import Param, Tag, all_of, value_of
from schema.scalars import DateTime
from schema.table import Many, One, Table

if TYPE_CHECKING:
    from schema.experiment import Experiment

_Key = Annotated[str, strawberry.argument(description="The key that it was logged under.")]


@strawberry.enum(description="Where a run is in its life.")
class RunStatus(Enum):
    """MLflow's RunStatus."""

    SCHEDULED = strawberry.enum_value("SCHEDULED", description="Waiting to run.")
    RUNNING = strawberry.enum_value("RUNNING", description="Started and not ended.")
    FINISHED = strawberry.enum_value("FINISHED", description="Ended well.")
    FAILED = strawberry.enum_value("FAILED", description="Ended with an error.")
    KILLED = strawberry.enum_value("KILLED", description="Stopped from outside.")


def _duration(runs: Table, _ask: Ask) -> list[float | None]:
    return [
        None if start is None or end is None else (end - start) / 1000
        for start, end in zip(runs["started_at"], runs["ended_at"], strict=True)
    ]


async def _experiment(runs: Table, ask: Ask) -> One:
    distinct = list(dict.fromkeys(runs["experiment_id"]))
    found = await ask.tracking.experiments_by_id(distinct, ask.columns(()))
    places = dict(zip(distinct, found.index, strict=True))
    return One(found.rows, [places[experiment_id] for experiment_id in runs["experiment_id"]])


async def _params(runs: Table, ask: Ask, keys: Keys = strawberry.UNSET) -> Many:
    return await all_of(runs, "params", keys, lambda some: ask.tracking.params(runs["run_id"], some))


async def _param(runs: Table, ask: Ask, key: _Key) -> list[str | None]:
    return await value_of(runs, "params", key, lambda some: ask.tracking.params(runs["run_id"], some))


async def _tags(runs: Table, ask: Ask, keys: Keys = strawberry.UNSET) -> Many:
    return await all_of(runs, "tags", keys, lambda some: ask.tracking.tags(runs["run_id"], some))


async def _tag(runs: Table, ask: Ask, key: _Key) -> list[str | None]:
    return await value_of(runs, "tags", key, lambda some: ask.tracking.tags(runs["run_id"], some))


async def _metrics(runs: Table, ask: Ask, keys: Keys = strawberry.UNSET) -> Many:
    return await all_of(runs, "metrics", keys, lambda some: ask.tracking.metrics(runs["run_id"], some))


async def _metric(runs: Table, ask: Ask, key: _Key) -> One:
    found = await _metrics(runs, ask, [key])
    return One(found.rows, [start if stop > start else None for start, stop in found.spans])


@strawberry.type(description="A run: one execution of some code, with what it logged.")
class Run(Node):
    """MLflow's Run."""

    id: strawberry.ID = global_id_field("Run", "run_id")
    run_id: strawberry.ID = strawberry.field(description="MLflow's id of the run.")
    name: str | None = strawberry.field(description="The run's name, which need not be unique.")
    status: RunStatus = strawberry.field(description="Where the run is in its life.")
    lifecycle_stage: LifecycleStage = strawberry.field(description="Whether the run is deleted.")
    user_id: str | None = strawberry.field(description="Who started the run, as the client said.")
    started_at: DateTime | None = strawberry.field(description="When the run started.")
    ended_at: DateTime | None = strawberry.field(description="When the run ended; null while it runs.")
    duration_seconds: float | None = across(
        _duration,
        description="The time from start to end in seconds; null while it runs.",
        needs=("started_at", "ended_at"),
    )
    artifact_uri: str | None = strawberry.field(description="Where the run's artifacts are kept.")
    experiment_id: strawberry.ID = strawberry.field(description="MLflow's id of the run's experiment.")
    experiment: Annotated["Experiment", strawberry.lazy("schema.experiment")] | None = across(
        _experiment, description="The run's experiment.", needs=("experiment_id",)
    )
    params: list[Param] = across(
        _params, description="Parameters, sorted by key.", needs=("run_id", "params")
    )
    param: str | None = across(
        _param, description="One parameter's value; null when it was not logged.", needs=("run_id", "params")
    )
    metrics: list[Metric] = across(
        _metrics, description="The last value of each metric, sorted by key.", needs=("run_id", "metrics")
    )
    metric: Metric | None = across(
        _metric, description="One metric; null when it was not logged.", needs=("run_id", "metrics")
    )
    tags: list[Tag] = across(
        _tags,
        description="Tags, sorted by key, MLflow's own mlflow.* tags included.",
        needs=("run_id", "tags"),
    )
    tag: str | None = across(
        _tag, description="One tag's value; null when it is not set.", needs=("run_id", "tags")
    )
