"""Model versions: the versions of a registered model."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.related_rows import related_rows, rows_by_key
from schema.ports.table import Many, One, Table
from schema.types.key_values import Tag
from schema.types.logged_model import LoggedModel
from schema.types.node import ID_DESCRIPTION, Node, global_id
from schema.types.scalars import DateTime

if TYPE_CHECKING:
    from schema.types.registered_model import RegisteredModel
    from schema.types.run import Run


def local_id(key: VersionKey) -> str:
    """Return the local id of a version. The number comes first, because names may contain colons."""
    return f"{key.version}:{key.name}"


def version_key(local: str) -> VersionKey:
    """Return the key of a version from its local id; raise `BadUserInput` if it is malformed."""
    version, colon, name = local.partition(":")
    if not colon:
        message = "id is not a global id of a model version."
        raise BadUserInput(message)
    return VersionKey(name, version)


def _keys(versions: Table) -> list[VersionKey]:
    return list(map(VersionKey, versions["name"], versions["version"]))


def _resolve_id(versions: Table, _context: FieldContext) -> list[str]:
    return [global_id("ModelVersion", local_id(key)) for key in _keys(versions)]


def _resolve_tags(versions: Table, context: FieldContext) -> Many | Awaitable[Many]:
    return related_rows(
        versions, "tags", None, lambda _: context.tracking.registry.version_tags(_keys(versions))
    )


async def _resolve_aliases(versions: Table, context: FieldContext) -> list[list[str]]:
    names = list(dict.fromkeys(versions["name"]))
    aliases = await context.tracking.registry.aliases(names)
    by_version: dict[VersionKey, list[str]] = {}
    for name, (start, stop) in zip(names, aliases.spans, strict=True):
        for index in range(start, stop):
            key = VersionKey(name, aliases.rows["version"][index])
            by_version.setdefault(key, []).append(aliases.rows["alias"][index])
    return [by_version.get(key, []) for key in _keys(versions)]


async def _resolve_run(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(versions["source_run_id"], lambda ids: context.tracking.runs_by_id(ids, columns))


async def _resolve_logged_model(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        versions["logged_model_id"], lambda ids: context.tracking.models.by_id(ids, columns)
    )


async def _resolve_registered_model(versions: Table, context: FieldContext) -> One:
    columns = context.columns(())
    return await rows_by_key(
        versions["name"], lambda names: context.tracking.registry.models_by_name(names, columns)
    )


_VERSION = ("name", "version")


@strawberry.type(description="A version of a registered model.")
class ModelVersion(Node):
    """MLflow's ModelVersion."""

    id: strawberry.ID = batched_field(_resolve_id, description=ID_DESCRIPTION, requires=_VERSION)
    name: str = strawberry.field(description="The name of the registered model.")
    version: str = strawberry.field(description="The version number.")
    stage: str | None = strawberry.field(
        description="The stage, such as Production; null if none is set. Current MLflow uses aliases instead."
    )
    status: str | None = strawberry.field(
        description="The status: PENDING_REGISTRATION, FAILED_REGISTRATION or READY."
    )
    description: str | None = strawberry.field(
        description="The description of the version; null if there is none."
    )
    source: str | None = strawberry.field(description="The URI that the version was registered from.")
    created_at: DateTime | None = strawberry.field(
        description="The time of registration; null if the store does not record it."
    )
    updated_at: DateTime | None = strawberry.field(
        description="The time of the last change; null if the store does not record it."
    )
    aliases: list[str] = batched_field(
        _resolve_aliases, description="The aliases of this version, sorted.", requires=_VERSION
    )
    tags: list[Tag] = batched_field(
        _resolve_tags,
        description="The tags of the version, sorted by key.",
        requires=(*_VERSION, "tags"),
        reads=1,
    )
    run: Annotated["Run", strawberry.lazy("schema.types.run")] | None = batched_field(
        _resolve_run,
        description="The run that the version was registered from, active or deleted; null if there is none.",
        requires=("source_run_id",),
    )
    logged_model: LoggedModel | None = batched_field(
        _resolve_logged_model,
        description=(
            "The logged model that was registered; null if it is deleted or the source was no logged model."
        ),
        requires=("logged_model_id",),
    )
    registered_model: (
        Annotated["RegisteredModel", strawberry.lazy("schema.types.registered_model")] | None
    ) = batched_field(
        _resolve_registered_model, description="The registered model of this version.", requires=("name",)
    )
