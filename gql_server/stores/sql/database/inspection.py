"""Inspection of a database: which of MLflow's tables it has, with the columns that are read."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Inspector, MetaData, String, Table, inspect, select
from sqlalchemy.engine.reflection import ObjectKind
from sqlalchemy.types import TypeEngine

from gql_server.stores.sql.database.column_types import family_of, is_compatible
from gql_server.stores.sql.database.database_schema import (
    FEATURE_TABLES,
    TRACKING_TABLES,
    WORKSPACE,
    WORKSPACE_TABLES,
    DatabaseSchema,
    columns_without_workspace,
)
from gql_server.stores.sql.tables import RUNS
from schema.ports.store_info import StoreFeature

_log = logging.getLogger(__name__)

_Columns = Mapping[str, Mapping[str, TypeEngine[Any]]]
"""The type of each column of each table."""

_READ_TABLES: Final = {*TRACKING_TABLES, *(table for tables in FEATURE_TABLES.values() for table in tables)}
_REVISIONS: Final = Table("alembic_version", MetaData(), Column("version_num", String(32)))
_MAX_NAMED: Final = 5
"""Tables or columns that a message names."""


class SchemaError(Exception):
    """The database cannot be served; the message is the reason, without the database's URI."""


def inspect_schema(
    connection: Connection, required: Collection[Table], *, workspaces: bool = False
) -> DatabaseSchema:
    """Return the schema of a database that has the required tables; raise `SchemaError` for any other.

    With `workspaces`, it must have workspaces, too.
    """
    revisions = read_revisions(connection)
    if len(revisions) > 1:
        message = (
            f"the database has {len(revisions)} schema revisions at once ({', '.join(revisions)}): a "
            "migration is running or was interrupted."
        )
        raise SchemaError(message)
    inspector = inspect(connection)
    columns = _read_columns(inspector)
    if not columns and not inspector.get_table_names():
        message = "the database is empty; MLflow creates its tables when it is first used with this database."
        raise SchemaError(message)
    problems = [problem for table in sorted(required, key=str) for problem in _problems(table, columns)]
    if problems:
        raise SchemaError(_message(problems))
    features = frozenset(_features(columns))
    if workspaces and StoreFeature.WORKSPACES not in features:
        message = (
            "MLFLOW_ENABLE_WORKSPACES is set, but the database has no workspaces; MLflow 3.10 added them."
        )
        raise SchemaError(message)
    return DatabaseSchema(
        revision=revisions[0] if revisions else None,
        features=features,
        has_start_index=_has_start_index(inspector) if RUNS.name in columns else False,
    )


def read_revisions(connection: Connection) -> Sequence[str]:
    """Return MLflow's revisions of the schema: one, none, or several while a migration runs."""
    # Alembic's own function imports all of Alembic, which takes as long as a quarter of this server.
    if not inspect(connection).has_table(_REVISIONS.name):
        return []
    return sorted(connection.execute(select(_REVISIONS.c.version_num)).scalars())


def _read_columns(inspector: Inspector) -> _Columns:
    # Views too: an owner may give this server views in place of tables.
    names = [table.name for table in _READ_TABLES]
    tables = inspector.get_multi_columns(filter_names=names, kind=ObjectKind.ANY)
    return {
        name: {column["name"]: column["type"] for column in columns}
        for (_, name), columns in tables.items()
        if columns
    }


def _features(columns: _Columns) -> Iterator[StoreFeature]:
    for feature, tables in FEATURE_TABLES.items():
        problems = [problem for table in tables for problem in _problems(table, columns)]
        if not problems:
            yield feature
        elif tables[0].name in columns:
            _log.warning("%s are not served: %s", feature.name.lower(), _message(problems))
    if all(WORKSPACE in columns.get(table.name, ()) for table in WORKSPACE_TABLES):
        yield StoreFeature.WORKSPACES


def _problems(table: Table, columns: _Columns) -> Iterator[str]:
    actual = columns.get(table.name)
    if actual is None:
        yield f"it has no table {table.name}"
        return
    for column in columns_without_workspace(table):
        type_ = actual.get(column.name)
        if type_ is None:
            yield f"{table.name} has no column {column.name}"
        elif not is_compatible(type_, column.type):
            yield f"{table.name}.{column.name} is {type_}, not {family_of(column.type)}"


def _message(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - _MAX_NAMED} more" if len(problems) > _MAX_NAMED else ""
    return f"the database is not MLflow's, or is incomplete: {'; '.join(problems[:_MAX_NAMED])}{more}."


def _has_start_index(inspector: Inspector) -> bool:
    indexes = [index["column_names"] for index in inspector.get_indexes(RUNS.name)]
    return any(names[:1] == ["experiment_id"] and "start_time" in names for names in indexes)
