"""Paging through a registered model's versions, and looking one up."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput
from schema.ports.registry import VersionKey
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import PageInfo, connect
from schema.types.cursor import fingerprint
from schema.types.model_version import ModelVersion


@strawberry.type(description="A model version at its place in a connection.")
class ModelVersionEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this version, to give as after.")
    node: ModelVersion = strawberry.field(description="The model version.")


@strawberry.type(description="A page of model versions.")
class ModelVersionConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[ModelVersionEdge] = strawberry.field(description="The page's versions with their cursors.")
    nodes: list[ModelVersion] = strawberry.field(description="The page's versions.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "How many versions there are in all; counted only when selected, "
            "and null where counting would pass the scan limit of the server."
        )
    )


async def versions_of_models(
    models: Table, context: FieldContext, first: First = DEFAULT_FIRST, after: After = strawberry.UNSET
) -> One:
    """Return the connection of each registered model's versions."""
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


async def find_version(
    _root: Table,
    context: FieldContext,
    name: Annotated[str, strawberry.argument(description="The registered model's exact name.")],
    version: Annotated[
        str | None, strawberry.argument(description="The version's number.")
    ] = strawberry.UNSET,
    alias: Annotated[
        str | None, strawberry.argument(description="An alias that names the version.")
    ] = strawberry.UNSET,
) -> One:
    """Return the version that a number or an alias names."""
    version, alias = given(version), given(alias)
    if (version is None) is (alias is None):
        message = "modelVersion takes exactly one of version and alias."
        raise BadUserInput(message)
    columns = context.columns(())
    if version is None:
        version = await _named(context, name, alias or "")
    keys = [] if version is None else [VersionKey(name, version)]
    found = await context.tracking.registry.versions_by_key(keys, columns)
    return One(found.rows, list(found.index) or [None])


async def _named(context: FieldContext, name: str, alias: str) -> str | None:
    rows = (await context.tracking.registry.aliases([name])).rows
    return dict(zip(rows["alias"], rows["version"], strict=True)).get(alias)
