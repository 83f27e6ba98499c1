"""What every mutation does: it asks for the change, and reads what was changed back."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from schema.engine.batched_field import FieldContext
from schema.ports.errors import Forbidden, NotFound, PublicError
from schema.ports.table import One, Table
from schema.ports.tracking_writes import TrackingWrites


def writing(context: FieldContext) -> TrackingWrites:
    """Return the store to change."""
    found = context.operation.writes
    if found is None:
        message = "This server only reads."
        raise Forbidden(message)
    return found


async def changed(
    context: FieldContext,
    field: str,
    own_id: str,
    look_up: Callable[[Sequence[str], Collection[str]], Awaitable[One]],
) -> One:
    """Return a payload whose `field` is what has this id now, read anew."""
    try:
        found = await look_up([own_id], context.columns((field,)))
    except PublicError as fault:
        message = f"The change was made, but what it changed could not be read back: {fault}"
        raise type(fault)(message) from fault
    if found.index[0] is None:
        message = f"The change was made, but there is no {field} {own_id!r}, or not any more."
        raise NotFound(message)
    return One(Table(1, {field: found}), [0])
