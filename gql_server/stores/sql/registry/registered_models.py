"""Registered models: searches, counts and lookups, with tags and aliases."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from gql_server.stores.filters.model_search import parse_model_search
from gql_server.stores.mlflow_names import PROMPT_TAG
from gql_server.stores.sql.group_rows import grouped_key_values, grouped_rows
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, select_list
from gql_server.stores.sql.registry.model_filter import model_conditions
from gql_server.stores.sql.registry.registry_tables import (
    ALIASES,
    REGISTERED,
    REGISTERED_COLUMNS,
    REGISTERED_TAGS,
)
from gql_server.stores.sql.registry.registry_workspace import in_registry_workspace
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from gql_server.stores.text_validation import is_storable
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages


def read_registered(session: Session, filter_: str | None, page: Page) -> Pages:
    """Return one page of a search, by name."""
    order = SqlOrder((SortKey(session.dialect, REGISTERED.c.name),), REGISTERED.c.name)
    names, columns = select_list(REGISTERED_COLUMNS, page.columns, order)
    conditions = _matching(session, filter_)
    if page.after is not None:
        conditions.append(order.after(page.after))
    statement = select(*columns).where(*conditions).order_by(*order.order_by()).limit(page.first + 1)
    return as_pages(order, names, [session.rows(statement, of=StoreFeature.REGISTRY)], page.first)


def count_registered(session: Session, filter_: str | None) -> int:
    """Count the models that match a search."""
    conditions = _matching(session, filter_)
    statement = select(func.count()).select_from(REGISTERED).where(*conditions)
    return sum(count for (count,) in session.rows(statement, of=StoreFeature.REGISTRY))


def registered_by_name(session: Session, names: Sequence[str], columns: Collection[str]) -> One:
    """Look up registered models and prompts by name."""
    column_names = [name for name in REGISTERED_COLUMNS if name in columns]
    selected = (
        *(REGISTERED_COLUMNS[name] for name in column_names),
        REGISTERED.c.name.label("requested_name"),
    )
    rows = _rows(session, REGISTERED, selected, names)
    indexes = {row[-1]: index for index, row in enumerate(rows)}
    return One(as_table(column_names, rows), [indexes.get(name) for name in names])


def read_registered_tags(session: Session, names: Sequence[str]) -> Many:
    """Return the tags of each model, by key."""
    columns = (REGISTERED_TAGS.c.name, REGISTERED_TAGS.c.key, REGISTERED_TAGS.c.value)
    return grouped_key_values(names, _rows(session, REGISTERED_TAGS, columns, names))


def read_aliases(session: Session, names: Sequence[str]) -> Many:
    """Return the aliases of each model and their versions, by alias."""
    columns = (ALIASES.c.name, ALIASES.c.alias, ALIASES.c.version)
    return grouped_rows(
        names, ("alias", "version"), sorted(_rows(session, ALIASES, columns, names, of=StoreFeature.ALIASES))
    )


def is_no_prompt(session: Session, name: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a name is not of a prompt: MLflow stores prompts as registered models."""
    tags = REGISTERED_TAGS.c
    prompts = select(tags.name).where(
        *in_registry_workspace(session, REGISTERED_TAGS), tags.key == PROMPT_TAG, tags.value == "true"
    )
    return name.not_in(prompts)


def _matching(session: Session, filter_: str | None) -> Conditions:
    search = parse_model_search(filter_)
    prompts = [is_no_prompt(session, REGISTERED.c.name)] if search.prompt_clause is None else []
    conditions = model_conditions(session, search.comparisons)
    return [*in_registry_workspace(session, REGISTERED), *prompts, *conditions]


def _rows(
    session: Session,
    source: Table,
    columns: Sequence[ColumnElement[Any]],
    names: Sequence[str],
    *,
    of: StoreFeature = StoreFeature.REGISTRY,
) -> list[Row]:
    rows: list[Row] = []
    statement = select(*columns).where(*in_registry_workspace(session, source))
    for batch in session.dialect.batches(dict.fromkeys(filter(is_storable, names))):
        rows += session.rows(statement.where(session.dialect.one_of(source.c.name, batch)), of=of)
    return rows
