"""The first rows of each scope in one pass: the database numbers them."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.session import Row, Session


def first_of_each(
    reading: Session,
    statement: Select[Any],
    apart: Sequence[ColumnElement[Any]],
    labels: Sequence[ColumnElement[Any]],
    ordering: SqlOrder,
    most: int,
) -> dict[tuple[Any, ...], list[Row]]:
    """Return the first rows of each scope in their order; `apart` tells scopes apart, `labels` name them.

    The names and a number more end each row.
    """
    place = func.row_number().over(partition_by=apart, order_by=ordering.sorting())
    named = [column.label(f"scope{number}") for number, column in enumerate(labels)]
    found = statement.add_columns(*named, place.label("place")).subquery()
    rows = reading.rows(select(found).where(found.c.place <= most))
    rows.sort(key=itemgetter(-1))
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[-1 - len(named) : -1]), []).append(row)
    return groups
