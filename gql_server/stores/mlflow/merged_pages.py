"""Pages of several searches in one table, as the port returns them."""

from collections.abc import Callable, Sequence
from typing import Any

from gql_server.stores.paging import SearchPage
from schema.ports.table import Span, Table
from schema.ports.tracking import Pages, Position


def merged_pages(pages: Sequence[SearchPage], make_table: Callable[[list[Any]], Table]) -> Pages:
    """Return the pages of all parents in one table; a page that several parents share is in it once."""
    rows: list[Any] = []
    positions: list[Position] = []
    spans: dict[int, Span] = {}
    for page in {id(page): page for page in pages}.values():
        start = len(rows)
        rows.extend(page.rows)
        positions.extend(page.positions)
        spans[id(page)] = (start, len(rows))
    return Pages(
        rows=make_table(rows),
        spans=[spans[id(page)] for page in pages],
        has_next=[page.has_next for page in pages],
        position=positions.__getitem__,
    )
