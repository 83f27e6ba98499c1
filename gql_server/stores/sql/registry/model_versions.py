"""Versions of registered models: of many models, of many runs, and by their keys."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

from mlflow.entities.model_registry.model_version_stages import STAGE_DELETED_INTERNAL
from sqlalchemy import Select, and_, func, or_, select

from gql_server.stores.sql.dialect import among, batches, storable
from gql_server.stores.sql.group_rows import children, pairs
from gql_server.stores.sql.order import SqlOrder
from gql_server.stores.sql.pages import as_pages, as_table, selected
from gql_server.stores.sql.registry.registered_models import no_prompt
from gql_server.stores.sql.registry.registry_tables import VERSION_COLUMNS, VERSION_TAGS, VERSIONS
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.sort_keys import SortKey
from gql_server.stores.sql.top_per_group import first_of_each
from schema.ports.registry import VersionKey
from schema.ports.table import Many, One
from schema.ports.tracking import Page, Pages

_INT32: Final = 2**31
_NAMES_AT_ONCE: Final = 100
"""Each name is a condition of its own, and SQLite takes a thousand deep."""


def read_versions(reading: Session, names: Sequence[str], page: Page, workspace: str) -> Pages:
    """Return a page of each model's versions, the latest first."""
    latest = SortKey(reading.dialect, VERSIONS.c.version, descending=True)
    ordering = SqlOrder((latest,), VERSIONS.c.name)
    wanted, columns = selected(VERSION_COLUMNS, page.columns, ordering)
    conditions = [*_there(workspace), among(reading.dialect, VERSIONS.c.name, _distinct(names))]
    if page.after is not None:
        conditions.append(ordering.behind(page.after))
    statement = select(*columns).where(*conditions)
    name = [VERSIONS.c.name]
    found = first_of_each(reading, statement, name, name, ordering, page.first + 1)
    return as_pages(ordering, wanted, [found.get((own,), []) for own in names], page.first)


def count_versions(reading: Session, names: Sequence[str], workspace: str) -> list[int | None]:
    """Count each model's versions."""
    named = among(reading.dialect, VERSIONS.c.name, _distinct(names))
    statement = select(VERSIONS.c.name, func.count()).where(*_there(workspace), named)
    counts = {name: int(count) for name, count in reading.rows(statement.group_by(VERSIONS.c.name))}
    return [counts.get(name, 0) for name in names]


def versions_by_key(
    reading: Session, keys: Sequence[VersionKey], columns: Collection[str], workspace: str
) -> One:
    """Look versions up."""
    wanted = [name for name in VERSION_COLUMNS if name in columns]
    own = (VERSIONS.c.name.label("own_name"), VERSIONS.c.version.label("own_version"))
    statement = select(*(VERSION_COLUMNS[name] for name in wanted), *own)
    rows = _of_keys(reading, statement.where(*_there(workspace)), VERSIONS, keys)
    places = {VersionKey(row[-2], str(row[-1])): place for place, row in enumerate(rows)}
    return One(as_table(wanted, rows), [places.get(key) for key in keys])


def versions_of_runs(
    reading: Session, run_ids: Sequence[str], columns: Collection[str], workspace: str
) -> Many:
    """Return the versions that were made from each run, by name, the latest first."""
    wanted = [name for name in VERSION_COLUMNS if name in columns]
    order = (VERSIONS.c.run_id, VERSIONS.c.name, VERSIONS.c.version)
    statement = select(*(column.label(f"o{place}") for place, column in enumerate(order)))
    statement = statement.add_columns(*(VERSION_COLUMNS[name] for name in wanted))
    rows: list[Row] = []
    for batch in batches(reading.dialect, dict.fromkeys(run_ids)):
        made = among(reading.dialect, VERSIONS.c.run_id, batch)
        rows += reading.rows(statement.where(*_there(workspace), made))
    rows.sort(key=lambda row: (row[0], row[1], -row[2]))
    return children(run_ids, wanted, [(row[0], *row[3:]) for row in rows])


def read_version_tags(reading: Session, keys: Sequence[VersionKey], workspace: str) -> Many:
    """Return the tags of each version, by key."""
    tags = VERSION_TAGS.c
    statement = select(tags.name, tags.version, tags.key, tags.value).where(tags.workspace == workspace)
    rows = _of_keys(reading, statement, VERSION_TAGS, keys)
    return pairs(keys, [(VersionKey(name, str(version)), key, value) for name, version, key, value in rows])


def _of_keys(reading: Session, statement: Select[Any], of: Any, keys: Sequence[VersionKey]) -> list[Row]:
    versions: dict[str, list[int]] = defaultdict(list)
    for name, version in dict.fromkeys(keys):
        if storable(name) and int(version) < _INT32:
            versions[name].append(int(version))
    rows: list[Row] = []
    names = list(versions)
    for start in range(0, len(names), _NAMES_AT_ONCE):
        some = names[start : start + _NAMES_AT_ONCE]
        each = [
            and_(of.c.name == name, among(reading.dialect, of.c.version, versions[name])) for name in some
        ]
        rows += reading.rows(statement.where(or_(*each)))
    return rows


def _there(workspace: str) -> Conditions:
    return [
        VERSIONS.c.workspace == workspace,
        or_(VERSIONS.c.current_stage.is_(None), VERSIONS.c.current_stage != STAGE_DELETED_INTERNAL),
        no_prompt(VERSIONS.c.name, workspace),
    ]


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(filter(storable, names)))
