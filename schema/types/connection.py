"""Connections: pages of a search, after Relay's cursor connections specification.

`Connection` and `Edge` are generic: `class RunConnection(Connection[Run])` makes the GraphQL types
`RunConnection` and `RunEdge`.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import strawberry

from schema.engine.batched_field import FieldContext
from schema.engine.selection import SelectedField
from schema.ports.table import Column, Many, One, Table
from schema.ports.tracking import Page, Pages
from schema.types.arguments import page_size
from schema.types.cursor import decode_cursor, encode_cursor

T = TypeVar("T")

_NODE_PATHS = (("nodes",), ("edges", "node"))
"""The paths from a connection to its nodes."""
_OF_PAGE = ("nodes", "edges", "pageInfo")
"""The fields that need the page."""


@strawberry.type(description="The position of a page in its connection.")
class PageInfo:
    """Relay's PageInfo, for paging forwards only."""

    has_next_page: bool = strawberry.field(description="Whether more nodes follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether the page was requested with a cursor.")
    start_cursor: str | None = strawberry.field(
        description="The cursor of the first node; null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description=(
            "The cursor of the last node; null if the page is empty. Pass it as after to get the next page."
        )
    )


@strawberry.type(description="A node of a connection with its cursor.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(
        description="The position of the node. Pass it as after to get the nodes that follow."
    )
    node: T = strawberry.field(description="The node.")


@strawberry.type
class Connection(Generic[T]):
    """Relay's connection, and the fields `nodes` and `totalCount`."""

    edges: list[Edge[T]] = strawberry.field(description="The nodes of the page with their cursors.")
    nodes: list[T] = strawberry.field(description="The nodes of the page.")
    page_info: PageInfo = strawberry.field(description="The position of the page in the connection.")
    total_count: int | None = strawberry.field(
        description=(
            "The number of nodes on all pages. It is counted only if this field is selected; null if the "
            "store would have to scan more than the server's limit (GQL_MAX_SCANNED_RUNS)."
        )
    )


def connection_reads(field: SelectedField) -> int:
    """Return the number of calls to the store for a connection: its page and its total."""
    has_page = any(field.selects((name,)) for name in _OF_PAGE)
    return int(has_page) + int(field.selects(("totalCount",)))


async def connect(
    context: FieldContext,
    fingerprints: Sequence[str],
    first: int | None,
    after: str | None,
    read: Callable[[Page], Awaitable[Pages]],
    count: Callable[[], Awaitable[Sequence[int | None]]],
) -> Table:
    """Return a table with the connection of each parent, with the selected columns only.

    `fingerprints` has the fingerprint of each parent's search. `read` reads one page for each parent and is
    called only if nodes or pageInfo are selected; `count` counts for each parent, if totalCount is selected.
    """
    size = page_size(first, context.operation.limits.max_page_size)
    # A cursor belongs to one search. It is refused if any parent has another search.
    positions = [] if after is None else [decode_cursor(one, after) for one in fingerprints]
    position = positions[0] if positions else None
    columns: dict[str, Column] = {}
    if context.selects("totalCount"):
        columns["total_count"] = await count()
    if any(context.selects(name) for name in _OF_PAGE):
        pages = await read(Page(first=size, after=position, columns=context.columns(*_NODE_PATHS)))
        columns |= _page_columns(context, fingerprints, pages, has_previous=after is not None)
    return Table(len(fingerprints), columns)


def _page_columns(
    context: FieldContext, fingerprints: Sequence[str], pages: Pages, *, has_previous: bool
) -> dict[str, Column]:
    size = len(fingerprints)
    edges: dict[str, Column] = {"node": One(pages.rows, range(pages.rows.size))}
    if context.selects("edges", "cursor"):
        edges["cursor"] = [
            encode_cursor(one, pages.position(row))
            for one, (start, stop) in zip(fingerprints, pages.spans, strict=True)
            for row in range(start, stop)
        ]
    info: dict[str, Column] = {"has_next_page": pages.has_next, "has_previous_page": [has_previous] * size}
    if context.selects("pageInfo", "startCursor"):
        info["start_cursor"] = _cursors(fingerprints, pages, lambda start, _: start)
    if context.selects("pageInfo", "endCursor"):
        info["end_cursor"] = _cursors(fingerprints, pages, lambda _, stop: stop - 1)
    return {
        "nodes": Many(pages.rows, pages.spans),
        "edges": Many(Table(pages.rows.size, edges), pages.spans),
        "page_info": One(Table(size, info), range(size)),
    }


def _cursors(
    fingerprints: Sequence[str], pages: Pages, row_of: Callable[[int, int], int]
) -> list[str | None]:
    """Return the cursor of one row of each page, `row_of(start, stop)`; None for an empty page."""
    return [
        encode_cursor(one, pages.position(row_of(start, stop))) if stop > start else None
        for one, (start, stop) in zip(fingerprints, pages.spans, strict=True)
    ]
