"""Registered models: names under which versions of a model are kept."""

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.related_rows import related_rows
from schema.ports.table import Many, Table
from schema.types.key_values import Tag
from schema.types.model_version_connection import ModelVersionConnection, versions_of_models
from schema.types.node import Node, global_id_field
from schema.types.scalars import DateTime


async def _tags(models: Table, context: FieldContext) -> Many:
    return await related_rows(
        models, "tags", None, lambda _: context.tracking.registry.model_tags(models["name"])
    )


async def _aliases(models: Table, context: FieldContext) -> Many:
    along = models.columns.get("aliases")
    return along if isinstance(along, Many) else await context.tracking.registry.aliases(models["name"])


@strawberry.type(description="A name for one version of a registered model, such as champion.")
class ModelAlias:
    """MLflow's RegisteredModelAlias."""

    alias: str = strawberry.field(description="The alias.")
    version: str = strawberry.field(description="The number of the version that it names.")


@strawberry.type(description="A registered model: a name under which versions of a model are kept.")
class RegisteredModel(Node):
    """MLflow's RegisteredModel."""

    id: strawberry.ID = global_id_field("RegisteredModel", "name")
    name: str = strawberry.field(description="The name, unique in the registry.")
    description: str | None = strawberry.field(description="What its owner says of it.")
    created_at: DateTime | None = strawberry.field(description="When it was created, if the store knows.")
    updated_at: DateTime | None = strawberry.field(
        description="When it or one of its versions was last changed, if the store knows."
    )
    tags: list[Tag] = batched_field(_tags, description="Tags, sorted by key.", requires=("name", "tags"))
    aliases: list[ModelAlias] = batched_field(
        _aliases, description="Aliases, sorted.", requires=("name", "aliases")
    )
    versions: ModelVersionConnection = batched_field(
        versions_of_models, description="The versions, the latest first.", requires=("name",)
    )
