"""Experiments: searched, counted and looked up."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from gql_server.stores.sql.dialect import among, batches, storable
from gql_server.stores.sql.order import experiment_ordering
from gql_server.stores.sql.pages import as_pages, as_table, selected
from gql_server.stores.sql.search_conditions import (
    experiment_in_workspace,
    experiment_numbers,
    matching_experiments,
)
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import EXPERIMENT_COLUMNS, EXPERIMENTS
from schema.ports.table import One
from schema.ports.tracking import Page, Pages, Search


def read_experiments(reading: Session, search: Search, page: Page, workspace: str | None) -> Pages:
    """Return one page of a search."""
    ordering = experiment_ordering(reading.dialect, search.order)
    names, columns = selected(EXPERIMENT_COLUMNS, page.columns, ordering)
    conditions = matching_experiments(reading.dialect, search, workspace)
    if page.after is not None:
        conditions.append(ordering.behind(page.after))
    statement = select(*columns).where(*conditions).order_by(*ordering.sorting()).limit(page.first + 1)
    return as_pages(ordering, names, [reading.rows(statement)], page.first)


def count_experiments(reading: Session, search: Search, workspace: str | None) -> int:
    """Count what a search finds."""
    conditions = matching_experiments(reading.dialect, search, workspace)
    ((count,),) = reading.rows(select(func.count()).select_from(EXPERIMENTS).where(*conditions))
    return int(count)


def experiments_by_id(
    reading: Session, ids: Sequence[str], columns: Collection[str], workspace: str | None
) -> One:
    """Look experiments up, deleted ones too."""
    id_ = EXPERIMENT_COLUMNS["experiment_id"]
    return _look_up(reading, id_, list(map(int, ids)), experiment_numbers(ids), columns, workspace)


def experiments_by_name(
    reading: Session, names: Sequence[str], columns: Collection[str], workspace: str | None
) -> One:
    """Look experiments up by their exact names, deleted ones too."""
    possible = [name for name in names if storable(name)]
    return _look_up(reading, EXPERIMENTS.c.name, names, possible, columns, workspace)


def _look_up(
    reading: Session,
    by: ColumnElement[Any],
    asked: Sequence[Any],
    possible: Sequence[Any],
    columns: Collection[str],
    workspace: str | None,
) -> One:
    wanted = [name for name in EXPERIMENT_COLUMNS if name in columns]
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(possible)):
        statement = select(*(EXPERIMENT_COLUMNS[name] for name in wanted), by.label("asked"))
        conditions = [among(reading.dialect, by, batch), *experiment_in_workspace(workspace)]
        rows += reading.rows(statement.where(*conditions))
    places = {row[-1]: place for place, row in enumerate(rows)}
    return One(as_table(wanted, rows), [places.get(key) for key in asked])
