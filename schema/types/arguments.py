"""Arguments that several fields have in common."""

from typing import Annotated, TypeVar

import strawberry

from schema.ports.errors import BadUserInput
from schema.ports.lifecycle import LifecycleView
from schema.types.scalars import BigInt

T = TypeVar("T")

DEFAULT_FIRST = 50

First = Annotated[
    int | None,
    strawberry.argument(
        description=(
            "Maximum number of nodes to return, from 0 to the server's limit (GQL_MAX_PAGE_SIZE). With 0, "
            "totalCount and pageInfo are still available."
        )
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "A cursor of this connection, requested with the same arguments. Return the nodes that follow it."
        )
    ),
]
View = Annotated[LifecycleView, strawberry.argument(description="The lifecycle stages to include.")]
Keys = Annotated[
    list[str] | None, strawberry.argument(description="Return these keys only. Default: all keys.")
]
FromStep = Annotated[
    BigInt | None, strawberry.argument(description="Return points at this step or later only.")
]
ToStep = Annotated[
    BigInt | None, strawberry.argument(description="Return points at this step or earlier only.")
]


def given(value: T | None) -> T | None:
    """Return the value of an argument, and None for an argument that was omitted."""
    return None if value is strawberry.UNSET else value


def page_size(first: int | None, limit: int) -> int:
    """Return the page size for `first`; raise `BadUserInput` if it is negative or exceeds the limit."""
    size = DEFAULT_FIRST if first is None else first
    if not 0 <= size <= limit:
        message = f"first must be from 0 to {limit} (GQL_MAX_PAGE_SIZE), not {size}."
        raise BadUserInput(message)
    return size
