"""Registered models: searched, counted and looked up, with their tags and aliases."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.search_utils import SearchModelUtils
from sqlalchemy import ColumnElement, Table, func, select

from gql_server.stores.sql.dialect import among, batches, storable
from gql_server.stores.sql.group_rows import children, pairs
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, selected
from gql_server.stores.sql.registry.registry_tables import (
    ALIASES,
    REGISTERED,
    REGISTERED_COLUMNS,
    REGISTERED_TAGS,
)
from gql_server.stores.sql.search_conditions import Conditions, clauses
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

# MLflow's own reading of a filter; private, so a test compares what it finds with what MLflow finds.
_search: Final[Any] = SqlAlchemyStore._get_search_registered_model_filter_query  # noqa: SLF001


class _Seen(SqlAlchemyStore):
    """As much of MLflow's registry store as its search needs: nothing but a workspace."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace

    def _get_active_workspace(self) -> str:
        return self._workspace


def read_registered(reading: Session, filter_: str | None, page: Page, workspace: str) -> Pages:
    """Return one page of a search, by name."""
    ordering = SqlOrder((SortKey(reading.dialect, REGISTERED.c.name),), REGISTERED.c.name)
    names, columns = selected(REGISTERED_COLUMNS, page.columns, ordering)
    conditions = _found(reading.dialect, filter_, workspace)
    if page.after is not None:
        conditions.append(ordering.behind(page.after))
    statement = select(*columns).where(*conditions).order_by(*ordering.sorting()).limit(page.first + 1)
    return as_pages(ordering, names, [reading.rows(statement)], page.first)


def count_registered(reading: Session, filter_: str | None, workspace: str) -> int:
    """Count what a search finds."""
    conditions = _found(reading.dialect, filter_, workspace)
    ((count,),) = reading.rows(select(func.count()).select_from(REGISTERED).where(*conditions))
    return int(count)


def registered_by_name(
    reading: Session, names: Sequence[str], columns: Collection[str], workspace: str
) -> One:
    """Look registered models up; a prompt is none."""
    wanted = [name for name in REGISTERED_COLUMNS if name in columns]
    own = REGISTERED.c.name.label("own_name")
    found = (*(REGISTERED_COLUMNS[name] for name in wanted), own)
    rows = _named(reading, REGISTERED, found, names, workspace, no_prompt(REGISTERED.c.name, workspace))
    places = {row[-1]: place for place, row in enumerate(rows)}
    return One(as_table(wanted, rows), [places.get(name) for name in names])


def read_registered_tags(reading: Session, names: Sequence[str], workspace: str) -> Many:
    """Return the tags of each model, by key."""
    columns = (REGISTERED_TAGS.c.name, REGISTERED_TAGS.c.key, REGISTERED_TAGS.c.value)
    return pairs(names, _named(reading, REGISTERED_TAGS, columns, names, workspace))


def read_aliases(reading: Session, names: Sequence[str], workspace: str) -> Many:
    """Return the aliases of each model with the versions that they name, by alias."""
    columns = (ALIASES.c.name, ALIASES.c.alias, ALIASES.c.version)
    return children(names, ("alias", "version"), sorted(_named(reading, ALIASES, columns, names, workspace)))


def no_prompt(name: ColumnElement[Any], workspace: str) -> ColumnElement[bool]:
    """Return the condition that a name is no prompt's: MLflow keeps prompts among registered models."""
    tags = REGISTERED_TAGS.c
    prompts = select(tags.name).where(
        tags.workspace == workspace, tags.key == IS_PROMPT_TAG_KEY, tags.value == "true"
    )
    return name.not_in(prompts)


def _found(dialect: str, filter_: str | None, workspace: str) -> Conditions:
    def build(parsed: Any) -> list[Any]:
        return [_search(_Seen(workspace), None, parsed, dialect)]

    (models,) = clauses(filter_, SearchModelUtils.parse_search_filter, build)
    names = models.with_only_columns(REGISTERED.c.name)
    return [REGISTERED.c.workspace == workspace, REGISTERED.c.name.in_(names)]


def _named(
    reading: Session,
    of: Table,
    columns: Sequence[ColumnElement[Any]],
    names: Sequence[str],
    workspace: str,
    *conditions: ColumnElement[bool],
) -> list[Row]:
    rows: list[Row] = []
    statement = select(*columns).where(of.c.workspace == workspace, *conditions)
    for batch in batches(reading.dialect, dict.fromkeys(filter(storable, names))):
        rows += reading.rows(statement.where(among(reading.dialect, of.c.name, batch)))
    return rows
