"""Experiments: searched, counted and looked up."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from gql_server.stores.sql.order import experiment_order
from gql_server.stores.sql.pages import as_pages, as_table, select_list
from gql_server.stores.sql.prepared_statement import PreparedStatement
from gql_server.stores.sql.search_conditions import (
    experiment_in_workspace,
    experiment_numbers,
    matching_experiments,
)
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import EXPERIMENT_COLUMNS, EXPERIMENTS
from gql_server.stores.text_validation import is_storable
from schema.ports.table import One
from schema.ports.tracking import Page, Pages, Search


def read_experiments(session: Session, search: Search, page: Page) -> Pages:
    """Return one page of a search."""
    order = experiment_order(session.dialect, search.order)
    names, columns = select_list(EXPERIMENT_COLUMNS, page.columns, order)
    conditions = matching_experiments(session, search)
    if page.after is not None:
        conditions.append(order.after(page.after))
    statement = select(*columns).where(*conditions).order_by(*order.order_by()).limit(page.first + 1)
    return as_pages(order, names, [session.rows(statement)], page.first)


def count_experiments(session: Session, search: Search) -> int:
    """Count the experiments that match a search."""
    conditions = matching_experiments(session, search)
    ((count,),) = session.rows(select(func.count()).select_from(EXPERIMENTS).where(*conditions))
    return int(count)


def experiments_by_id(session: Session, ids: Sequence[str], columns: Collection[str]) -> One:
    """Look up experiments by id, deleted experiments included."""
    id_ = EXPERIMENT_COLUMNS["experiment_id"]
    return _look_up(session, id_, list(map(int, ids)), experiment_numbers(ids), columns)


def experiments_by_name(session: Session, names: Sequence[str], columns: Collection[str]) -> One:
    """Look up experiments by exact name, deleted experiments included."""
    possible = [name for name in names if is_storable(name)]
    return _look_up(session, EXPERIMENTS.c.name, names, possible, columns)


def _look_up(
    session: Session,
    key_column: ColumnElement[Any],
    keys: Sequence[Any],
    possible: Sequence[Any],
    columns: Collection[str],
) -> One:
    column_names = [name for name in EXPERIMENT_COLUMNS if name in columns]

    def prepare() -> PreparedStatement:
        selected = [EXPERIMENT_COLUMNS[name] for name in column_names]
        requested = session.dialect.one_of_named(key_column, "requested")
        statement = select(*selected, key_column.label("requested_key"))
        return session.prepare(statement.where(requested, *experiment_in_workspace(session)))

    statement = session.keep(("experiments", str(key_column), *column_names, session.workspace), prepare)
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(possible)):
        rows += session.rows(statement, {"requested": session.dialect.list_value(batch)})
    indexes = {row[-1]: index for index, row in enumerate(rows)}
    return One(as_table(column_names, rows), [indexes.get(key) for key in keys])
