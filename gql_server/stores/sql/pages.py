"""One page of a search for each scope, from rows in the order of the search."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.tables import converted
from schema.ports.table import Span, Table
from schema.ports.tracking import Pages, Position


def select_list(
    columns: Mapping[str, ColumnElement[Any]], requested: frozenset[str], order: SqlOrder
) -> tuple[list[str], list[ColumnElement[Any]]]:
    """Return the names of the requested columns that exist; and these columns with the order's, to select."""
    names = [name for name in columns if name in requested]
    selected = [*(columns[name] for name in names), *order.columns()]
    return names, [column.label(f"c{index}") for index, column in enumerate(selected)]


def as_pages(order: SqlOrder, names: Sequence[str], groups: Sequence[Sequence[Row]], first: int) -> Pages:
    """Return the pages; a group has the rows of one scope, one more than `first` if there is a next page."""
    rows: list[Row] = []
    spans: list[Span] = []
    for group in groups:
        start = len(rows)
        rows += group[:first]
        spans.append((start, len(rows)))

    def position(row: int) -> Position:
        return order.position(rows[row][len(names) :])

    return Pages(as_table(names, rows), spans, [len(group) > first for group in groups], position)


def as_table(names: Sequence[str], rows: Sequence[Row]) -> Table:
    """Return rows as a table of the port; values after those of `names` are dropped."""
    columns: Sequence[Any] = list(zip(*rows, strict=True)) or [()] * len(names)
    return Table(
        len(rows), {name: converted(name, column) for name, column in zip(names, columns, strict=False)}
    )
