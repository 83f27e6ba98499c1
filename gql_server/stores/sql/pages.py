"""One page of a search for each scope, from rows in the order of the search."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement

from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.related_lists import RelatedLists
from gql_server.stores.sql.session import Row
from gql_server.stores.sql.tables import converted
from schema.ports.table import Column, Many, Span, Table
from schema.ports.tracking import Pages, Position

_NO_LISTS: Final[Mapping[str, Many]] = MappingProxyType({})


def select_list(
    columns: Mapping[str, ColumnElement[Any]],
    requested: frozenset[str],
    order: SqlOrder,
    related: Sequence[ColumnElement[Any]] = (),
) -> tuple[list[str], list[ColumnElement[Any]]]:
    """Return the names of the requested columns that exist, and the columns to select.

    These are the requested columns, those of the order, of which the last is the id, and those of lists.
    """
    names = [name for name in columns if name in requested]
    selected = [*(columns[name] for name in names), *order.columns(), *related]
    return names, [column.label(f"c{index}") for index, column in enumerate(selected)]


def as_pages(
    order: SqlOrder,
    names: Sequence[str],
    groups: Sequence[Sequence[Row]],
    first: int,
    related: RelatedLists | None = None,
) -> Pages:
    """Return the pages; a group has the rows of one scope, one more than `first` if there is a next page.

    `related` reads the lists of the rows.
    """
    rows: list[Row] = []
    spans: list[Span] = []
    for group in groups:
        start = len(rows)
        rows += group[:first]
        spans.append((start, len(rows)))

    def position(row: int) -> Position:
        return order.position(rows[row][len(names) :])

    lists = related.read(rows, id_column=len(names) + order.width - 1) if related else {}
    return Pages(as_table(names, rows, lists), spans, [len(group) > first for group in groups], position)


def as_table(names: Sequence[str], rows: Sequence[Row], lists: Mapping[str, Many] = _NO_LISTS) -> Table:
    """Return rows as a table of the port, with these lists; values after those of `names` are dropped."""
    values: Sequence[Any] = list(zip(*rows, strict=False)) or [()] * len(names)
    columns: dict[str, Column] = {
        name: converted(name, column) for name, column in zip(names, values, strict=False)
    }
    return Table(len(rows), {**columns, **lists})
