"""Arguments that several fields have in common."""

from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.errors import BadUserInput, LimitExceeded
from schema.ports.lifecycle import LifecycleView
from schema.ports.query_limits import QueryLimits
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


def distinct(values: Iterable[T], limit: int, argument: str, setting: str) -> list[T]:
    """Return the different entries of an argument in their order; raise `LimitExceeded` for too many."""
    entries = list(dict.fromkeys(values))
    if len(entries) > limit:
        message = f"{argument} takes at most {limit:,} different entries ({setting}), not {len(entries):,}."
        raise LimitExceeded(message)
    return entries


def distinct_names(values: Sequence[str] | None, limits: QueryLimits, argument: str) -> list[str] | None:
    """Return the different ids, names or keys of an argument; None if it was omitted."""
    return None if values is None else distinct(values, limits.max_page_size, argument, "GQL_MAX_PAGE_SIZE")


def requested_keys(context: FieldContext, keys: Sequence[str] | None) -> list[str] | None:
    """Return the different keys of the argument `keys`, which may be UNSET; None if it was omitted."""
    return distinct_names(given(keys), context.operation.limits, "keys")


def page_size(first: int | None, limit: int) -> int:
    """Return the page size for `first`; raise `BadUserInput` if it is negative or exceeds the limit."""
    size = DEFAULT_FIRST if first is None else first
    if not 0 <= size <= limit:
        message = f"first must be from 0 to {limit} (GQL_MAX_PAGE_SIZE), not {size}."
        raise BadUserInput(message)
    return size
