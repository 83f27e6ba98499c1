"""Versions of registered models: of many models, of many runs, and by key."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Select, Table, and_, func, or_, select

from gql_server.stores.mlflow_names import DELETED_STAGE
from gql_server.stores.sql.group_rows import grouped_key_values, grouped_rows
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, select_list
from gql_server.stores.sql.registry.registered_models import is_no_prompt
from gql_server.stores.sql.registry.registry_tables import (
    VERSION_COLUMNS,
    VERSION_TAGS,
    VERSIONS,
)
from gql_server.stores.sql.registry.registry_workspace import in_registry_workspace
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from gql_server.stores.sql.top_per_group import top_per_group
from gql_server.stores.text_validation import is_storable
from schema.ports.registry import VersionKey
from schema.ports.store_info import StoreFeature
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

_INT32: Final = 2**31
_MAX_NAMES: Final = 100
"""Each name is a separate condition, and SQLite limits the depth of an expression to a thousand."""


def read_versions(session: Session, names: Sequence[str], page: Page) -> Pages:
    """Return a page of each model's versions, the latest first."""
    latest = SortKey(session.dialect, VERSIONS.c.version, descending=True)
    order = SqlOrder((latest,), VERSIONS.c.name)
    selected, columns = select_list(VERSION_COLUMNS, page.columns, order)
    conditions = [*_is_active(session), session.dialect.one_of(VERSIONS.c.name, _distinct(names))]
    if page.after is not None:
        conditions.append(order.after(page.after))
    statement = select(*columns).where(*conditions)
    name_column = [VERSIONS.c.name]
    groups = top_per_group(
        session, statement, name_column, name_column, order, page.first + 1, of=StoreFeature.REGISTRY
    )
    return as_pages(order, selected, [groups.get((name,), []) for name in names], page.first)


def count_versions(session: Session, names: Sequence[str]) -> list[int | None]:
    """Count each model's versions."""
    has_name = session.dialect.one_of(VERSIONS.c.name, _distinct(names))
    statement = select(VERSIONS.c.name, func.count()).where(*_is_active(session), has_name)
    counted = statement.group_by(VERSIONS.c.name)
    counts = {name: int(count) for name, count in session.rows(counted, of=StoreFeature.REGISTRY)}
    return [counts.get(name, 0) for name in names]


def versions_by_key(session: Session, keys: Sequence[VersionKey], columns: Collection[str]) -> One:
    """Look up versions by key."""
    column_names = [name for name in VERSION_COLUMNS if name in columns]
    key_columns = (VERSIONS.c.name.label("requested_name"), VERSIONS.c.version.label("requested_version"))
    statement = select(*(VERSION_COLUMNS[name] for name in column_names), *key_columns)
    rows = _rows_by_key(session, statement.where(*_is_active(session)), VERSIONS, keys)
    indexes = {VersionKey(row[-2], str(row[-1])): index for index, row in enumerate(rows)}
    return One(as_table(column_names, rows), [indexes.get(key) for key in keys])


def versions_of_runs(session: Session, run_ids: Sequence[str], columns: Collection[str]) -> Many:
    """Return the versions that were made from each run, by name, the latest first."""
    column_names = [name for name in VERSION_COLUMNS if name in columns]
    order = (VERSIONS.c.run_id, VERSIONS.c.name, VERSIONS.c.version)
    statement = select(*(column.label(f"o{index}") for index, column in enumerate(order)))
    statement = statement.add_columns(*(VERSION_COLUMNS[name] for name in column_names))
    rows: list[Row] = []
    for batch in session.dialect.batches(dict.fromkeys(run_ids)):
        of_runs = session.dialect.one_of(VERSIONS.c.run_id, batch)
        conditions = [*_is_active(session), is_no_prompt(session, VERSIONS.c.name), of_runs]
        rows += session.rows(statement.where(*conditions), of=StoreFeature.REGISTRY)
    rows.sort(key=lambda row: (row[0], row[1], -row[2]))
    return grouped_rows(run_ids, column_names, [(row[0], *row[3:]) for row in rows])


def read_version_tags(session: Session, keys: Sequence[VersionKey]) -> Many:
    """Return the tags of each version, by key."""
    tags = VERSION_TAGS.c
    statement = select(tags.name, tags.version, tags.key, tags.value).where(
        *in_registry_workspace(session, VERSION_TAGS)
    )
    rows = _rows_by_key(session, statement, VERSION_TAGS, keys)
    return grouped_key_values(
        keys, [(VersionKey(name, str(version)), key, value) for name, version, key, value in rows]
    )


def _rows_by_key(
    session: Session, statement: Select[Any], source: Table, keys: Sequence[VersionKey]
) -> list[Row]:
    versions: dict[str, list[int]] = defaultdict(list)
    for name, version in dict.fromkeys(keys):
        if is_storable(name) and int(version) < _INT32:
            versions[name].append(int(version))
    rows: list[Row] = []
    names = list(versions)
    for start in range(0, len(names), _MAX_NAMES):
        has_key = [
            and_(source.c.name == name, session.dialect.one_of(source.c.version, versions[name]))
            for name in names[start : start + _MAX_NAMES]
        ]
        rows += session.rows(statement.where(or_(*has_key)), of=StoreFeature.REGISTRY)
    return rows


def _is_active(session: Session) -> Conditions:
    return [
        *in_registry_workspace(session, VERSIONS),
        or_(VERSIONS.c.current_stage.is_(None), VERSIONS.c.current_stage != DELETED_STAGE),
    ]


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(filter(is_storable, names)))
