"""Pages of several searches as one answer of the port."""

from collections.abc import Callable, Sequence
from typing import Any

from gql_server.stores.mlflow.paging import Found
from schema.ports.table import Span, Table
from schema.ports.tracking import Pages, Position


def pages_of(parts: Sequence[Found], table: Callable[[list[Any]], Table]) -> Pages:
    """Return the pages of all parents in one table; a page that parents share is in it once."""
    rows: list[Any] = []
    places: list[Position] = []
    spans: dict[int, Span] = {}
    for part in {id(part): part for part in parts}.values():
        start = len(rows)
        rows.extend(part.rows)
        places.extend(part.places)
        spans[id(part)] = (start, len(rows))
    return Pages(
        rows=table(rows),
        spans=[spans[id(part)] for part in parts],
        has_next=[part.has_next for part in parts],
        position=places.__getitem__,
    )
