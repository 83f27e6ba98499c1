"""The dialect of an engine."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine

from gql_server.stores.sql.dialects.dialect import Dialect
from gql_server.stores.sql.dialects.mssql import MssqlDialect
from gql_server.stores.sql.dialects.mysql import MysqlDialect
from gql_server.stores.sql.dialects.postgresql import PostgresqlDialect
from gql_server.stores.sql.dialects.sqlite import SqliteDialect

DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.name: dialect
    for dialect in (SqliteDialect(), PostgresqlDialect(), MysqlDialect(), MssqlDialect())
}


def dialect_of(engine: Engine) -> Dialect:
    """Return the dialect of an engine; MLflow opens no database of another kind than these four."""
    return DIALECTS[engine.dialect.name]
