"""The search for registered models, and the lookup of one of them."""

from typing import Annotated

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.filter_string import count_comparisons
from schema.ports.table import One, Table
from schema.types.arguments import DEFAULT_FIRST, After, First, given
from schema.types.connection import Connection, connect
from schema.types.cursor import fingerprint
from schema.types.registered_model import RegisteredModel

_Filter = Annotated[
    str | None,
    strawberry.argument(
        description="A filter string of MLflow, such as: name LIKE 'spirals%' and tags.team = 'shapes'."
    ),
]


@strawberry.type(description="A page of registered models.")
class RegisteredModelConnection(Connection[RegisteredModel]):
    """The connection of registered models."""


async def resolve_registered_models(
    root: Table,
    context: FieldContext,
    first: First = DEFAULT_FIRST,
    after: After = strawberry.UNSET,
    filter: _Filter = strawberry.UNSET,  # noqa: A002 - the public name
) -> One:
    """Resolve `Query.registeredModels`."""
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


async def resolve_registered_model(
    _root: Table,
    context: FieldContext,
    name: Annotated[str, strawberry.argument(description="The exact name of the model.")],
) -> One:
    """Resolve `Query.registeredModel`."""
    return await context.tracking.registry.models_by_name([name], context.columns(()))
