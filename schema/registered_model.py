"""Registered models: names under which versions of a model are kept."""

import strawberry

from schema.across import Ask, across
from schema.model_versions import ModelVersionConnection, versions_of_models
from schema.node import Node, global_id_field
from schema.pairs import Tag, all_of
from schema.scalars import DateTime
from schema.table import Many, Table


async def _tags(models: Table, ask: Ask) -> Many:
    return await all_of(models, "tags", None, lambda _: ask.tracking.registry.model_tags(models["name"]))


async def _aliases(models: Table, ask: Ask) -> Many:
    along = models.columns.get("aliases")
    return along if isinstance(along, Many) else await ask.tracking.registry.aliases(models["name"])


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
    tags: list[Tag] = across(_tags, description="Tags, sorted by key.", needs=("name", "tags"))
    aliases: list[ModelAlias] = across(_aliases, description="Aliases, sorted.", needs=("name", "aliases"))
    versions: ModelVersionConnection = across(
        versions_of_models, description="The versions, the latest first.", needs=("name",)
    )
