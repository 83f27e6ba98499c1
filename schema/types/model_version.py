"""Model versions: what a registered model was, each time that one was registered."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.related_rows import related_rows, rows_by_key
from schema.ports.table import Many, One, Table
from schema.types.key_values import Tag
from schema.types.logged_model import LoggedModel
from schema.types.node import Node, global_id
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.registered_model import RegisteredModel
    from schema.types.run import Run


def own_id(key: VersionKey) -> str:
    """Return what the global id of a version holds: the version first, for names may hold colons."""
    return f"{key.version}:{key.name}"


def key_of(own: str) -> VersionKey:
    """Return the key in an own id of a version; BadUserInput where it is none."""
    version, colon, name = own.partition(":")
    if not colon:
        message = "id is not a global id of a model version."
        raise BadUserInput(message)
    return VersionKey(name, version)


def _keys(versions: Table) -> list[VersionKey]:
    return list(map(VersionKey, versions["name"], versions["version"]))


def _id(versions: Table, _context: FieldContext) -> list[str]:
    return [global_id("ModelVersion", own_id(key)) for key in _keys(versions)]


async def _tags(versions: Table, context: FieldContext) -> Many:
    return await related_rows(
        versions, "tags", None, lambda _: context.tracking.registry.version_tags(_keys(versions))
    )


async def _aliases(versions: Table, context: FieldContext) -> list[list[str]]:
    names = list(dict.fromkeys(versions["name"]))
    found = await context.tracking.registry.aliases(names)
    of: dict[VersionKey, list[str]] = {}
    for name, (start, stop) in zip(names, found.spans, strict=True):
        for place in range(start, stop):
            key = VersionKey(name, found.rows["version"][place])
            of.setdefault(key, []).append(found.rows["alias"][place])
    return [of.get(key, []) for key in _keys(versions)]


async def _run(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(versions["source_run_id"], lambda ids: context.tracking.runs_by_id(ids, columns))


async def _logged_model(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        versions["logged_model_id"], lambda ids: context.tracking.models.by_id(ids, columns)
    )


async def _registered_model(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        versions["name"], lambda names: context.tracking.registry.models_by_name(names, columns)
    )


_VERSION = ("name", "version")


@strawberry.type(description="A version of a registered model.")
class ModelVersion(Node):
    """MLflow's ModelVersion."""

    id: strawberry.ID = batched_field(
        _id, description="The global id: unique among all types, opaque.", requires=_VERSION
    )
    name: str = strawberry.field(description="The registered model's name.")
    version: str = strawberry.field(description="The version's number.")
    stage: str | None = strawberry.field(
        description="The stage, such as Production; null when none is set. MLflow has aliases now."
    )
    status: str | None = strawberry.field(description="PENDING_REGISTRATION, FAILED_REGISTRATION or READY.")
    description: str | None = strawberry.field(description="What its owner says of it.")
    source: str | None = strawberry.field(description="Where the model was registered from, as a URI.")
    created_at: DateTime | None = strawberry.field(description="When it was registered, if the store knows.")
    updated_at: DateTime | None = strawberry.field(
        description="When it was last changed, if the store knows."
    )
    aliases: list[str] = batched_field(
        _aliases, description="The aliases that name this version, sorted.", requires=_VERSION
    )
    tags: list[Tag] = batched_field(_tags, description="Tags, sorted by key.", requires=(*_VERSION, "tags"))
    run: Annotated["Run", strawberry.lazy("schema.types.run")] | None = batched_field(
        _run,
        description="The run that made it, deleted or not; null when there is none.",
        requires=("source_run_id",),
    )
    logged_model: LoggedModel | None = batched_field(
        _logged_model,
        description="The logged model that was registered; null where it was something else, or is deleted.",
        requires=("logged_model_id",),
    )
    registered_model: (
        Annotated["RegisteredModel", strawberry.lazy("schema.types.registered_model")] | None
    ) = batched_field(
        _registered_model, description="The registered model that this is a version of.", requires=("name",)
    )
