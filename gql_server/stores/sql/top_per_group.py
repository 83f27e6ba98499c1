"""The first rows of each group in one statement: the database numbers them."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.session import Row, Session
from schema.ports.store_info import StoreFeature


def top_per_group(
    session: Session,
    statement: Select[Any],
    group_by: Sequence[ColumnElement[Any]],
    labels: Sequence[ColumnElement[Any]],
    order: SqlOrder,
    limit: int,
    *,
    of: StoreFeature | None = None,
) -> dict[tuple[Any, ...], list[Row]]:
    """Return up to `limit` rows of each group in their order, by the group's values of `labels`.

    Each row ends with the values of `labels` and its number. `of` is the feature that the statement reads.
    """
    number = func.row_number().over(partition_by=group_by, order_by=order.order_by())
    named = [column.label(f"scope{index}") for index, column in enumerate(labels)]
    numbered = statement.add_columns(*named, number.label("row_number")).subquery()
    rows = session.rows(select(numbered).where(numbered.c.row_number <= limit), of=of)
    rows.sort(key=itemgetter(-1))
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[-1 - len(named) : -1]), []).append(row)
    return groups
