"""One page of a search for each scope, of rows that come in the order of the search."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.tables import shown
from schema.ports.table import Span, Table
from schema.ports.tracking import Pages, Position


def selected(
    columns: Mapping[str, ColumnElement[Any]], wanted: frozenset[str], ordering: SqlOrder
) -> tuple[list[str], list[ColumnElement[Any]]]:
    """Return the names of the columns wanted that there are, and what to select: them, then the order's."""
    names = [name for name in columns if name in wanted]
    found = [*(columns[name] for name in names), *ordering.columns()]
    return names, [column.label(f"c{number}") for number, column in enumerate(found)]


def as_pages(ordering: SqlOrder, names: Sequence[str], groups: Sequence[Sequence[Row]], first: int) -> Pages:
    """Return the pages; each group has the rows of one scope, one more than `first` where more follow."""
    rows: list[Row] = []
    spans: list[Span] = []
    for group in groups:
        start = len(rows)
        rows += group[:first]
        spans.append((start, len(rows)))

    def position(row: int) -> Position:
        return ordering.position(rows[row][len(names) :])

    return Pages(as_table(names, rows), spans, [len(group) > first for group in groups], position)


def as_table(names: Sequence[str], rows: Sequence[Row]) -> Table:
    """Return rows as columns as the port has them, whatever else the rows end with."""
    columns: Sequence[Any] = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table(len(rows), {name: shown(name, column) for name, column in zip(names, columns, strict=False)})
