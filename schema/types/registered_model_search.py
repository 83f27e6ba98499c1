"""Searching the registry: the connection of registered models, and looking one up."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.filter_string import count_comparisons
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import PageInfo, connect
from schema.types.cursor import fingerprint
from schema.types.registered_model import RegisteredModel

_Filter = Annotated[
    str | None,
    strawberry.argument(
        description="MLflow's filter string, such as: name LIKE 'spirals%' and tags.team = 'shapes'."
    ),
]


@strawberry.type(description="A registered model at its place in a connection.")
class RegisteredModelEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(description="The place just behind this model, to give as after.")
    node: RegisteredModel = strawberry.field(description="The registered model.")


@strawberry.type(description="A page of registered models.")
class RegisteredModelConnection:
    """Relay's connection, with nodes and totalCount beside the edges."""

    edges: list[RegisteredModelEdge] = strawberry.field(description="The page's models with their cursors.")
    nodes: list[RegisteredModel] = strawberry.field(description="The page's models.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "How many models match in all; counted only when selected, "
            "and null where counting would pass the scan limit of the server."
        )
    )


async def search_models(
    root: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
) -> One:
    """Return the connection of registered models that the arguments ask for."""
    filter_ = context.operation.checked_filter(given(filter))
    count_comparisons(filter_, context.operation.limits.max_conditions)
    registry = context.tracking.registry

    async def count() -> list[int | None]:
        return [await registry.count_models(filter_)]

    connections = await connect(
        context,
        [fingerprint("registered models", filter_)],
        first,
        given(after),
        lambda page: registry.models(filter_, page),
        count,
    )
    return One(connections, range(root.size))


async def find_model(
    _root: Table,
    context: FieldContext,
    name: Annotated[str, strawberry.argument(description="Its exact name.")],
) -> One:
    """Return the registered model with a name."""
    return await context.tracking.registry.models_by_name([name], context.columns(()))
