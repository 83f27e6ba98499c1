"""Mutation fields and their payloads: make a change, then read the changed object back."""

import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import strawberry
from strawberry.tools import create_type

from schema.engine.batched_field import FieldContext, batched_field
from schema.ports.errors import Forbidden, NotFound, PublicError
from schema.ports.table import One, Table
from schema.ports.tracking import Tracking
from schema.ports.tracking_writes import TrackingWrites

LookUp: TypeAlias = Callable[[Sequence[str], Collection[str]], Awaitable[One]]
"""Looks objects up by their ids and returns the given columns of them."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload type with one field, the changed object, and the lookup of that object."""

    type: type
    field: str
    look_up: Callable[[Tracking], LookUp]


def make_payload(node_type: type, field: str, look_up: Callable[[Tracking], LookUp]) -> Payload:
    """Make the payload type of the mutations that change objects of `node_type`: `Run` gives `RunPayload`."""
    node = strawberry.field(name=field, graphql_type=node_type, description=f"The {field} after the change.")
    name = f"{node_type.__name__}Payload"
    return Payload(create_type(name, [node], description="The result of a change."), field, look_up)


def mutation_field(change: Callable[..., Awaitable[str]], payload: Payload, *, description: str) -> Any:
    """Return a mutation field that awaits `change(context, input)` and then reads the changed object back.

    `change` returns the id of the object. `payload` is the field's type.
    """

    async def resolve(_root: Table, context: FieldContext, **arguments: Any) -> One:
        return await _read_back(context, payload, await change(context, **arguments))

    root = inspect.Parameter("_root", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(change).parameters.values()
    resolve.__signature__ = inspect.Signature([root, *parameters])  # type: ignore[attr-defined]
    resolve.__module__ = change.__module__
    return batched_field(resolve, description=description, graphql_type=payload.type)


def writes_of(context: FieldContext) -> TrackingWrites:
    """Return the port for changes; raise `Forbidden` if the server is read-only."""
    writes = context.operation.writes
    if writes is None:
        message = "This server is read-only."
        raise Forbidden(message)
    return writes


async def _read_back(context: FieldContext, payload: Payload, object_id: str) -> One:
    field = payload.field
    try:
        result = await payload.look_up(context.tracking)([object_id], context.columns((field,)))
    except PublicError as error:
        message = f"The change was made, but reading the {field} back failed: {error}"
        raise error.with_message(message) from error
    if result.index[0] is None:
        message = f"The change was made, but the {field} {object_id!r} does not exist, or no longer exists."
        raise NotFound(message)
    return One.for_single_parent(Table(1, {field: result}))
