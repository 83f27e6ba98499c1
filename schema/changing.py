"""What every mutation does: it asks for the change, and reads what was changed back."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from schema.across import Ask
from schema.errors import Fault, Forbidden, NotFound
from schema.table import One, Table
from schema.writing import Writing


def writing(ask: Ask) -> Writing:
    """Return the store to change."""
    found = ask.operation.writing
    if found is None:
        message = "This server only reads."
        raise Forbidden(message)
    return found


async def changed(
    ask: Ask,
    field: str,
    own_id: str,
    look_up: Callable[[Sequence[str], Collection[str]], Awaitable[One]],
) -> One:
    """Return a payload whose `field` is what has this id now, read anew."""
    try:
        found = await look_up([own_id], ask.columns((field,)))
    except Fault as fault:
        message = f"The change was made, but what it changed could not be read back: {fault}"
        raise type(fault)(message) from fault
    if found.index[0] is None:
        message = f"The change was made, but there is no {field} {own_id!r}, or not any more."
        raise NotFound(message)
    return One(Table(1, {field: found}), [0])
