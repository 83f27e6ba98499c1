"""Runs, with their params, metrics, tags, inputs and outputs."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated, Optional

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.engine.required_columns import KeyedColumn
from schema.ports.lifecycle import LifecycleStage
from schema.ports.milliseconds import seconds_between
from schema.ports.related_rows import Values, related_rows, rows_by_key, run_data, run_metric, run_values
from schema.ports.run_status import RunStatus
from schema.ports.table import Many, One, Rows, Table
from schema.types.arguments import Keys, requested_keys
from schema.types.artifact import Artifact, FolderPath, list_artifacts
from schema.types.connection import connection_reads
from schema.types.dataset import DatasetInput
from schema.types.key_values import Param, Tag
from schema.types.logged_model import LoggedModel
from schema.types.metric import Metric
from schema.types.model_version import ModelVersion
from schema.types.node import Node, global_id_field
from schema.types.run_relations import PARENT_KEYS, resolve_children, resolve_parent
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.experiment import Experiment
    from schema.types.run_connection import RunConnection

_Key = Annotated[str, strawberry.argument(description="The key to look up.")]


def _resolve_duration(runs: Table, _context: FieldContext) -> list[float | None]:
    return seconds_between(runs["started_at"], runs["ended_at"])


async def _resolve_experiment(runs: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        runs["experiment_id"], lambda ids: context.tracking.experiments_by_id(ids, columns)
    )


def _resolve_params(
    runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET
) -> Many | Awaitable[Many]:
    return run_data(context.tracking, runs, "params", requested_keys(context, keys))


def _resolve_param(runs: Table, context: FieldContext, key: _Key) -> Values | Awaitable[Values]:
    return run_values(context.tracking, runs, "params", key)


def _resolve_tags(
    runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET
) -> Many | Awaitable[Many]:
    return run_data(context.tracking, runs, "tags", requested_keys(context, keys))


def _resolve_tag(runs: Table, context: FieldContext, key: _Key) -> Values | Awaitable[Values]:
    return run_values(context.tracking, runs, "tags", key)


def _resolve_metrics(
    runs: Table, context: FieldContext, keys: Keys = strawberry.UNSET
) -> Many | Awaitable[Many]:
    return run_data(context.tracking, runs, "metrics", requested_keys(context, keys))


def _resolve_metric(runs: Table, context: FieldContext, key: _Key) -> One | Awaitable[One]:
    return run_metric(context.tracking, runs, key)


def _resolve_datasets(runs: Table, context: FieldContext) -> Many | Awaitable[Many]:
    ids, columns = runs["run_id"], context.columns(())
    return related_rows(runs, "datasets", None, lambda _: context.tracking.models.datasets(ids, columns))


async def _resolve_artifacts(
    runs: Table, context: FieldContext, path: FolderPath = strawberry.UNSET
) -> Many | list[Rows | Exception]:
    return await list_artifacts(context, "run", runs["run_id"], path)


async def _resolve_logged_models(runs: Table, context: FieldContext) -> Many:
    return await context.tracking.models.of_runs(runs["run_id"], context.columns(()))


async def _resolve_model_versions(runs: Table, context: FieldContext) -> Many:
    return await context.tracking.registry.versions_of_runs(runs["run_id"], context.columns(()))


@strawberry.type(description="A run: one execution of code, with the data that it logged.")
class Run(Node):
    """MLflow's Run."""

    id: strawberry.ID = global_id_field("Run", "run_id")
    run_id: strawberry.ID = strawberry.field(description="The MLflow id of the run.")
    name: str | None = strawberry.field(description="The name of the run. It need not be unique.")
    status: RunStatus = strawberry.field(description="The status of the run.")
    lifecycle_stage: LifecycleStage = strawberry.field(description="Whether the run is active or deleted.")
    user_id: str | None = strawberry.field(
        description="The user who started the run, as reported by the client."
    )
    started_at: DateTime | None = strawberry.field(description="The start time of the run.")
    ended_at: DateTime | None = strawberry.field(
        description="The end time of the run; null if it has not ended."
    )
    duration_seconds: float | None = batched_field(
        _resolve_duration,
        description="The time from start to end, in seconds; null if the run has not ended.",
        requires=("started_at", "ended_at"),
    )
    artifact_uri: str | None = strawberry.field(description="The URI of the run's artifacts.")
    experiment_id: strawberry.ID = strawberry.field(description="The MLflow id of the run's experiment.")
    experiment: Annotated["Experiment", strawberry.lazy("schema.types.experiment")] | None = batched_field(
        _resolve_experiment,
        description="The experiment of the run; null if it no longer exists.",
        requires=("experiment_id",),
    )
    params: list[Param] = batched_field(
        _resolve_params,
        description="The params of the run, sorted by key.",
        requires=("run_id", KeyedColumn("params", "keys")),
    )
    param: str | None = batched_field(
        _resolve_param,
        description="The value of one param; null if it was not logged.",
        requires=("run_id", KeyedColumn("params", "key")),
    )
    metrics: list[Metric] = batched_field(
        _resolve_metrics,
        description="The metrics of the run, sorted by key.",
        requires=("run_id", KeyedColumn("metrics", "keys")),
    )
    metric: Metric | None = batched_field(
        _resolve_metric,
        description="One metric; null if it was not logged.",
        requires=("run_id", KeyedColumn("metrics", "key")),
    )
    tags: list[Tag] = batched_field(
        _resolve_tags,
        description="The tags of the run, sorted by key, including MLflow's own mlflow.* tags.",
        requires=("run_id", KeyedColumn("tags", "keys")),
    )
    tag: str | None = batched_field(
        _resolve_tag,
        description="The value of one tag; null if it is not set.",
        requires=("run_id", KeyedColumn("tags", "key")),
    )
    parent: Optional["Run"] = batched_field(
        resolve_parent,
        description="The parent run, active or deleted; null if there is none.",
        requires=("run_id", KeyedColumn("tags", keys=PARENT_KEYS)),
    )
    children: Annotated["RunConnection", strawberry.lazy("schema.types.run_connection")] = batched_field(
        resolve_children,
        description="The child runs: active runs of the same experiment whose parent is this run.",
        requires=("run_id", "experiment_id"),
        reads=connection_reads,
    )
    datasets: list[DatasetInput] = batched_field(
        _resolve_datasets,
        description="The datasets that the run used as inputs, sorted by name.",
        requires=("run_id", "datasets"),
        reads=1,
    )
    artifacts: list[Artifact] | None = batched_field(
        _resolve_artifacts,
        description=(
            "The files and folders in one folder of the run's artifacts, sorted by path; null with an error "
            "if they cannot be read. More than the server's limit (GQL_MAX_ARTIFACTS) are LIMIT_EXCEEDED."
        ),
        requires=("run_id",),
    )
    logged_models: list[LoggedModel] | None = batched_field(
        _resolve_logged_models,
        description=(
            "The logged models that the run created or has as outputs, newest first; null with an error if "
            "they cannot be read."
        ),
        requires=("run_id",),
    )
    model_versions: list[ModelVersion] | None = batched_field(
        _resolve_model_versions,
        description=(
            "The model versions that were registered from the run, sorted by name, then latest first; null "
            "with an error if the registry cannot be read, which may be another store."
        ),
        requires=("run_id",),
    )
