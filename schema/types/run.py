"""Runs: what was done once, with its parameters, metrics and tags."""

from typing import TYPE_CHECKING, Annotated, Optional

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.engine.times import seconds_between
from schema.ports.lifecycle import LifecycleStage
from schema.ports.related_rows import related_rows, related_values, rows_by_key
from schema.ports.run_status import RunStatus
from schema.ports.table import Many, One, Table
from schema.types.arguments import Keys, given
from schema.types.artifact import Artifact, FolderPath, list_of
from schema.types.dataset import DatasetInput
from schema.types.key_values import Param, Tag
from schema.types.logged_model import LoggedModel
from schema.types.metric import Metric
from schema.types.model_version import ModelVersion
from schema.types.node import Node, global_id_field
from schema.types.run_relations import children_of, parent_of
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.experiment import Experiment
    from schema.types.run_connection import RunConnection

_Key = Annotated[str, strawberry.argument(description="The key that it was logged under.")]


def _duration(runs: Table, _context: FieldContext) -> list[float | None]:
    return seconds_between(runs["started_at"], runs["ended_at"])


async def _experiment(runs: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        runs["experiment_id"], lambda ids: context.tracking.experiments_by_id(ids, columns)
    )


async def _params(runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET) -> Many:
    return await related_rows(
        runs, "params", given(keys), lambda some: context.tracking.params(runs["run_id"], some)
    )


async def _param(runs: Table, context: FieldContext, key: _Key) -> list[str | None]:
    return await related_values(
        runs, "params", key, lambda some: context.tracking.params(runs["run_id"], some)
    )


async def _tags(runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET) -> Many:
    return await related_rows(
        runs, "tags", given(keys), lambda some: context.tracking.tags(runs["run_id"], some)
    )


async def _tag(runs: Table, context: FieldContext, key: _Key) -> list[str | None]:
    return await related_values(runs, "tags", key, lambda some: context.tracking.tags(runs["run_id"], some))


async def _metrics(runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET) -> Many:
    return await related_rows(
        runs, "metrics", given(keys), lambda some: context.tracking.metrics(runs["run_id"], some)
    )


async def _metric(runs: Table, context: FieldContext, key: _Key) -> One:
    found = await _metrics(runs, context, [key])
    return One(found.rows, [start if stop > start else None for start, stop in found.spans])


async def _datasets(runs: Table, context: FieldContext) -> Many:
    ids, columns = runs["run_id"], context.columns(())
    return await related_rows(
        runs, "datasets", None, lambda _: context.tracking.models.datasets(ids, columns)
    )


async def _artifacts(runs: Table, context: FieldContext, path: FolderPath = strawberry.UNSET) -> Many:
    return await list_of(context, "run", runs["run_id"], path)


async def _logged_models(runs: Table, context: FieldContext) -> Many:
    return await context.tracking.models.of_runs(runs["run_id"], context.columns(()))


async def _model_versions(runs: Table, context: FieldContext) -> Many:
    return await context.tracking.registry.versions_of_runs(runs["run_id"], context.columns(()))


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
    duration_seconds: float | None = batched_field(
        _duration,
        description="The time from start to end in seconds; null while it runs.",
        requires=("started_at", "ended_at"),
    )
    artifact_uri: str | None = strawberry.field(description="Where the run's artifacts are kept.")
    experiment_id: strawberry.ID = strawberry.field(description="MLflow's id of the run's experiment.")
    experiment: Annotated["Experiment", strawberry.lazy("schema.types.experiment")] | None = batched_field(
        _experiment, description="The run's experiment.", requires=("experiment_id",)
    )
    params: list[Param] = batched_field(
        _params, description="Parameters, sorted by key.", requires=("run_id", "params")
    )
    param: str | None = batched_field(
        _param,
        description="One parameter's value; null when it was not logged.",
        requires=("run_id", "params"),
    )
    metrics: list[Metric] = batched_field(
        _metrics, description="The last value of each metric, sorted by key.", requires=("run_id", "metrics")
    )
    metric: Metric | None = batched_field(
        _metric, description="One metric; null when it was not logged.", requires=("run_id", "metrics")
    )
    tags: list[Tag] = batched_field(
        _tags,
        description="Tags, sorted by key, MLflow's own mlflow.* tags included.",
        requires=("run_id", "tags"),
    )
    tag: str | None = batched_field(
        _tag, description="One tag's value; null when it is not set.", requires=("run_id", "tags")
    )
    parent: Optional["Run"] = batched_field(
        parent_of,
        description="The run that this one is a child of; null where there is none.",
        requires=("run_id", "tags"),
    )
    children: Annotated["RunConnection", strawberry.lazy("schema.types.run_connection")] = batched_field(
        children_of,
        description="The active runs of the same experiment that name this one as their parent.",
        requires=("run_id", "experiment_id"),
    )
    datasets: list[DatasetInput] = batched_field(
        _datasets,
        description="The datasets that the run read, sorted by name.",
        requires=("run_id", "datasets"),
    )
    artifacts: list[Artifact] = batched_field(
        _artifacts,
        description="The run's files and folders: one folder's listing, sorted by path.",
        requires=("run_id",),
    )
    logged_models: list[LoggedModel] = batched_field(
        _logged_models,
        description="The models that the run made or logged as its output, the newest first.",
        requires=("run_id",),
    )
    model_versions: list[ModelVersion] = batched_field(
        _model_versions,
        description="The versions in the registry that were made from the run, by name, the latest first.",
        requires=("run_id",),
    )
