"""Connections: pages of a search, in the form of Relay's cursor connections specification."""

from collections.abc import Awaitable, Callable, Sequence

import strawberry

from schema.engine.batched_field import FieldContext
from schema.ports.table import Column, Many, One, Table
from schema.ports.tracking import Page, Pages
from schema.types.arguments import page_size
from schema.types.cursor import seal, unseal

NODES = (("nodes",), ("edges", "node"))
"""The two ways from a connection to its nodes."""


@strawberry.type(description="Where a page stands in its connection.")
class PageInfo:
    """Relay's PageInfo; connections here are read forwards."""

    has_next_page: bool = strawberry.field(description="Whether more follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for with a cursor.")
    start_cursor: str | None = strawberry.field(description="The first node's cursor; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The last node's cursor, to give as after for the next page; null on an empty page."
    )


async def connect(
    context: FieldContext,
    marks: Sequence[str],
    first: int | None,
    after: str | None,
    read: Callable[[Page], Awaitable[Pages]],
    count: Callable[[], Awaitable[Sequence[int | None]]],
) -> Table:
    """Return the connections of all parents, one row each, with what is selected and no more.

    `marks` are the fingerprints of the parents' searches. `read` is asked for the pages if anything of them
    is selected, `count` for the totals if totalCount is.
    """
    size = page_size(first, context.operation.limits.max_page_size)
    # A cursor is of one search: where parents differ in theirs, it is refused for all of them.
    positions = [] if after is None else [unseal(mark, after) for mark in marks]
    position = positions[0] if positions else None
    columns: dict[str, Column] = {}
    if context.selects("totalCount"):
        columns["total_count"] = await count()
    if any(context.selects(name) for name in ("nodes", "edges", "pageInfo")):
        pages = await read(Page(first=size, after=position, columns=context.columns(*NODES)))
        columns |= _pages(context, marks, pages, behind=after is not None)
    return Table(len(marks), columns)


def _pages(context: FieldContext, marks: Sequence[str], pages: Pages, *, behind: bool) -> dict[str, Column]:
    edges: dict[str, Column] = {"node": One(pages.rows, range(pages.rows.size))}
    if context.selects("edges", "cursor"):
        edges["cursor"] = [
            seal(mark, pages.position(row))
            for mark, (start, stop) in zip(marks, pages.spans, strict=True)
            for row in range(start, stop)
        ]
    info: dict[str, Column] = {"has_next_page": pages.has_next, "has_previous_page": [behind] * len(marks)}
    if context.selects("pageInfo", "startCursor"):
        info["start_cursor"] = _ends(marks, pages, lambda start, _: start)
    if context.selects("pageInfo", "endCursor"):
        info["end_cursor"] = _ends(marks, pages, lambda _, stop: stop - 1)
    return {
        "nodes": Many(pages.rows, pages.spans),
        "edges": Many(Table(pages.rows.size, edges), pages.spans),
        "page_info": One(Table(len(marks), info), range(len(marks))),
    }


def _ends(marks: Sequence[str], pages: Pages, end: Callable[[int, int], int]) -> list[str | None]:
    return [
        seal(mark, pages.position(end(start, stop))) if stop > start else None
        for mark, (start, stop) in zip(marks, pages.spans, strict=True)
    ]
