"""The connection of model versions, and the lookup of one version."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import Connection, connect
from schema.types.cursor import fingerprint
from schema.types.model_version import ModelVersion


@strawberry.type(description="A page of model versions.")
class ModelVersionConnection(Connection[ModelVersion]):
    """The connection of model versions."""


async def resolve_versions(
    models: Table, context: FieldContext, first: First = DEFAULT_FIRST, after: After = strawberry.UNSET
) -> One:
    """Resolve `RegisteredModel.versions`."""
    names = models["name"]
    registry = context.tracking.registry
    connections = await connect(
        context,
        [fingerprint("model versions", name) for name in names],
        first,
        given(after),
        lambda page: registry.versions(names, page),
        lambda: registry.count_versions(names),
    )
    return One(connections, range(models.size))


async def resolve_model_version(
    _root: Table,
    context: FieldContext,
    name: Annotated[str, strawberry.argument(description="The exact name of the registered model.")],
    version: Annotated[str | None, strawberry.argument(description="The version number.")] = strawberry.UNSET,
    alias: Annotated[
        str | None, strawberry.argument(description="An alias of the version.")
    ] = strawberry.UNSET,
) -> One:
    """Resolve `Query.modelVersion`."""
    version, alias = given(version), given(alias)
    if (version is None) is (alias is None):
        message = "modelVersion takes exactly one of version and alias."
        raise BadUserInput(message)
    columns = context.columns(())
    if version is None:
        version = await _aliased_version(context, name, alias or "")
    keys = [] if version is None else [VersionKey(name, version)]
    result = await context.tracking.registry.versions_by_key(keys, columns)
    return One(result.rows, list(result.index) or [None])


async def _aliased_version(context: FieldContext, name: str, alias: str) -> str | None:
    rows = (await context.tracking.registry.aliases([name])).rows
    return dict(zip(rows["alias"], rows["version"], strict=True)).get(alias)
