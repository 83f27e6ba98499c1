"""The arguments that several fields take, described once."""

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
        description="How many to return at most; 0 returns none and still answers totalCount and pageInfo."
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor of this same connection, with the same arguments: return what follows it."
    ),
]
View = Annotated[
    LifecycleView,
    strawberry.argument(description="Whether to see what is active, what is deleted, or both."),
]
Keys = Annotated[
    list[str] | None,
    strawberry.argument(description="Only what stands under these keys; all keys when left out."),
]
FromStep = Annotated[BigInt | None, strawberry.argument(description="Only points at this step or after it.")]
ToStep = Annotated[BigInt | None, strawberry.argument(description="Only points at this step or before it.")]


def given(value: T | None) -> T | None:
    """Return an argument's value; None where it was left out, as where it was null."""
    return None if value is strawberry.UNSET else value


def page_size(first: int | None, most: int) -> int:
    """Check `first` against the largest page that this server returns."""
    size = DEFAULT_FIRST if first is None else first
    if not 0 <= size <= most:
        message = f"first must be from 0 to {most} (GQL_MAX_PAGE_SIZE), not {size}."
        raise BadUserInput(message)
    return size
