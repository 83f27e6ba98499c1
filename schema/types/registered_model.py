"""Registered models: named models of the registry, with versions and aliases."""

from collections.abc import Awaitable

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.related_rows import related_rows
from schema.ports.table import Many, Table
from schema.types.connection import connection_reads
from schema.types.key_values import Tag
from schema.types.model_version_connection import ModelVersionConnection, resolve_versions
from schema.types.node import Node, global_id_field
from schema.types.scalars import DateTime


def _resolve_tags(models: Table, context: FieldContext) -> Many | Awaitable[Many]:
    return related_rows(models, "tags", None, lambda _: context.tracking.registry.model_tags(models["name"]))


def _resolve_aliases(models: Table, context: FieldContext) -> Many | Awaitable[Many]:
    registry = context.tracking.registry
    return related_rows(models, "aliases", None, lambda _: registry.aliases(models["name"]))


@strawberry.type(description="An alias of one version of a registered model, such as champion.")
class ModelAlias:
    """MLflow's RegisteredModelAlias."""

    alias: str = strawberry.field(description="The alias.")
    version: str = strawberry.field(description="The number of the version that has the alias.")


@strawberry.type(description="A registered model: a named model with versions in the model registry.")
class RegisteredModel(Node):
    """MLflow's RegisteredModel."""

    id: strawberry.ID = global_id_field("RegisteredModel", "name")
    name: str = strawberry.field(description="The name of the model, unique in the registry.")
    description: str | None = strawberry.field(
        description="The description of the model; null if there is none."
    )
    created_at: DateTime | None = strawberry.field(
        description="The time of creation; null if the store does not record it."
    )
    updated_at: DateTime | None = strawberry.field(
        description=(
            "The time of the last change to the model or one of its versions; null if the store does not "
            "record it."
        )
    )
    tags: list[Tag] = batched_field(
        _resolve_tags, description="The tags of the model, sorted by key.", requires=("name", "tags"), reads=1
    )
    aliases: list[ModelAlias] = batched_field(
        _resolve_aliases,
        description="The aliases of the model, sorted.",
        requires=("name", "aliases"),
        reads=1,
    )
    versions: ModelVersionConnection = batched_field(
        resolve_versions,
        description="The versions of the model, latest first.",
        requires=("name",),
        reads=connection_reads,
    )
