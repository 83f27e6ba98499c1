"""A check of a database's schema before MLflow opens it, because MLflow creates and migrates tables.

`SqlAlchemyStore` upgrades a database that lacks a table, however old it is, without confirmation.
"""

import logging
from contextlib import closing
from typing import Final

import mlflow
from alembic.script import ScriptDirectory
from mlflow.store.db.base_sql_model import Base
from mlflow.store.db.utils import _get_alembic_config
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from gql_server.stores.database_errors import connection_error
from gql_server.stores.sql.database.inspection import read_revisions
from gql_server.stores.sql.database.read_engine import create_read_engine
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri

_LOCK_SECONDS: Final = 5.0
"""Time to wait for a table that another process has locked: less than an operation may take by default."""


def check_database(uri: str) -> None:
    """Return if the installed MLflow can open and change the database without a migration; change nothing.

    Raises `StoreConfigError` if it cannot, `StoreUnavailable` if the database cannot be reached now.
    """
    engine = create_read_engine(uri, 1, _LOCK_SECONDS)
    try:
        with closing(engine.connect()) as connection:
            problem = _schema_problem(connection)
    except DBAPIError as error:
        raise connection_error(uri, error) from error
    finally:
        engine.dispose()
    if problem is not None:
        message = f"{redacted_uri(uri)}: {problem}"
        raise StoreConfigError(message)


def silence_database_logs() -> None:
    """Silence MLflow's and Alembic's logs of opening a database; they contain SQL."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.ERROR)


def _schema_problem(connection: Connection) -> str | None:
    actual = read_revisions(connection)
    expected = sorted(ScriptDirectory.from_config(_get_alembic_config("")).get_heads())
    if actual != expected:
        return (
            f"changes are made by the installed MLflow {mlflow.__version__}, which needs the schema revision "
            f"{' and '.join(expected)}, but the database has {' and '.join(actual) or 'none'}. Install the "
            "MLflow version of the database here, if it is 3.15 or newer (docs/compatibility.md lists the "
            "revisions), or set the tracking URI to an `mlflow server` of that version."
        )
    missing = sorted(set(Base.metadata.tables) - set(inspect(connection).get_table_names()))
    return (
        f"the database lacks tables of MLflow {mlflow.__version__}: {', '.join(missing)}" if missing else None
    )
