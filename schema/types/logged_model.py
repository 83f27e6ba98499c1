"""Logged models: models that runs create, with their own params, metrics, tags and files."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.related_rows import related_rows, rows_by_key
from schema.ports.table import Many, One, Rows, Table
from schema.types.artifact import Artifact, FolderPath, list_artifacts
from schema.types.key_values import Param, Tag
from schema.types.metric import Metric
from schema.types.node import Node, global_id_field
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.run import Run


def _resolve_params(models: Table, context: FieldContext) -> Many | Awaitable[Many]:
    return related_rows(models, "params", None, lambda _: context.tracking.models.params(models["model_id"]))


def _resolve_tags(models: Table, context: FieldContext) -> Many | Awaitable[Many]:
    return related_rows(models, "tags", None, lambda _: context.tracking.models.tags(models["model_id"]))


def _resolve_metrics(models: Table, context: FieldContext) -> Many | Awaitable[Many]:
    return related_rows(
        models, "metrics", None, lambda _: context.tracking.models.metrics(models["model_id"])
    )


async def _resolve_source_run(models: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(models["source_run_id"], lambda ids: context.tracking.runs_by_id(ids, columns))


async def _resolve_artifacts(
    models: Table, context: FieldContext, path: FolderPath = strawberry.UNSET
) -> Many | list[Rows | Exception]:
    return await list_artifacts(context, "model", models["model_id"], path)


@strawberry.type(description="A logged model: a model that a run created, with MLflow 3 or later.")
class LoggedModel(Node):
    """MLflow's LoggedModel."""

    id: strawberry.ID = global_id_field("LoggedModel", "model_id")
    model_id: strawberry.ID = strawberry.field(description="The MLflow id of the model. It begins with m-.")
    name: str = strawberry.field(description="The name of the model. It need not be unique.")
    status: str = strawberry.field(description="The status: PENDING, READY, FAILED or UNSPECIFIED.")
    model_type: str | None = strawberry.field(
        description="The type of the model, as reported by the client; null if none was."
    )
    created_at: DateTime = strawberry.field(description="The time of creation.")
    updated_at: DateTime | None = strawberry.field(
        description="The time of the last change to the model itself; null if the store does not record it."
    )
    artifact_location: str | None = strawberry.field(description="The URI of the model's files.")
    experiment_id: strawberry.ID = strawberry.field(description="The MLflow id of the model's experiment.")
    params: list[Param] = batched_field(
        _resolve_params,
        description="The params of the model, sorted by key.",
        requires=("model_id", "params"),
        reads=1,
    )
    tags: list[Tag] = batched_field(
        _resolve_tags,
        description="The tags of the model, sorted by key.",
        requires=("model_id", "tags"),
        reads=1,
    )
    metrics: list[Metric] = batched_field(
        _resolve_metrics,
        description=(
            "The metrics of the model, sorted by key, with one entry for each run and dataset that measured "
            "it. The history of an entry is the history of the run's metric."
        ),
        requires=("model_id", "metrics"),
        reads=1,
    )
    source_run: Annotated["Run", strawberry.lazy("schema.types.run")] | None = batched_field(
        _resolve_source_run,
        description="The run that created the model, active or deleted; null if there is none.",
        requires=("source_run_id",),
    )
    artifacts: list[Artifact] | None = batched_field(
        _resolve_artifacts,
        description=(
            "The files and folders in one folder of the model's artifacts, sorted by path; null with an "
            "error if they cannot be read."
        ),
        requires=("model_id",),
    )
