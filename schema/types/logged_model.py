"""Logged models: what runs made to be used, each with its own params, metrics, tags and files."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.related_rows import related_rows, rows_by_key
from schema.ports.table import Many, One, Table
from schema.types.artifact import Artifact, FolderPath, list_of
from schema.types.key_values import Param, Tag
from schema.types.metric import Metric
from schema.types.node import Node, global_id_field
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.run import Run


async def _params(models: Table, context: FieldContext) -> Many:
    return await related_rows(
        models, "params", None, lambda _: context.tracking.models.params(models["model_id"])
    )


async def _tags(models: Table, context: FieldContext) -> Many:
    return await related_rows(
        models, "tags", None, lambda _: context.tracking.models.tags(models["model_id"])
    )


async def _metrics(models: Table, context: FieldContext) -> Many:
    return await related_rows(
        models, "metrics", None, lambda _: context.tracking.models.metrics(models["model_id"])
    )


async def _source_run(models: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(models["source_run_id"], lambda ids: context.tracking.runs_by_id(ids, columns))


async def _artifacts(models: Table, context: FieldContext, path: FolderPath = strawberry.UNSET) -> Many:
    return await list_of(context, "model", models["model_id"], path)


@strawberry.type(description="A logged model: a model that a run made, from MLflow 3 on.")
class LoggedModel(Node):
    """MLflow's LoggedModel."""

    id: strawberry.ID = global_id_field("LoggedModel", "model_id")
    model_id: strawberry.ID = strawberry.field(description="MLflow's id of the model; it begins with m-.")
    name: str = strawberry.field(description="The model's name, which need not be unique.")
    status: str = strawberry.field(description="PENDING, READY, FAILED or UNSPECIFIED.")
    model_type: str | None = strawberry.field(description="What kind of model it is, as the client said.")
    created_at: DateTime = strawberry.field(description="When it was created.")
    updated_at: DateTime | None = strawberry.field(
        description="When it was last changed itself, if the store knows."
    )
    artifact_location: str | None = strawberry.field(description="Where the model's files are kept.")
    experiment_id: strawberry.ID = strawberry.field(description="MLflow's id of the model's experiment.")
    params: list[Param] = batched_field(
        _params, description="Parameters, sorted by key.", requires=("model_id", "params")
    )
    tags: list[Tag] = batched_field(_tags, description="Tags, sorted by key.", requires=("model_id", "tags"))
    metrics: list[Metric] = batched_field(
        _metrics,
        description=(
            "The last value of each metric, sorted by key; one for each run and dataset that it was measured "
            "with. Its history is that of the run."
        ),
        requires=("model_id", "metrics"),
    )
    source_run: Annotated["Run", strawberry.lazy("schema.types.run")] | None = batched_field(
        _source_run,
        description="The run that made the model, deleted or not; null when there is none.",
        requires=("source_run_id",),
    )
    artifacts: list[Artifact] = batched_field(
        _artifacts,
        description="The model's files and folders: one folder's listing, sorted by path.",
        requires=("model_id",),
    )
