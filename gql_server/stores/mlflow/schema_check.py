"""A check of a database's schema before MLflow opens it, because MLflow creates and migrates tables.

`SqlAlchemyStore` upgrades a database that lacks a table, however old it is, without confirmation.
"""

import logging
import re
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

import mlflow
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from mlflow.store.db.base_sql_model import Base
from mlflow.store.db.utils import (
    _get_alembic_config,
    _initialize_tables,
    _make_parent_dirs_if_sqlite,
    create_sqlalchemy_engine,
)
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from gql_server.stores.mlflow.database_url import connection_url, parse_database_url
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri, sqlite_file
from schema.ports.errors import StoreUnavailable

_DRIVER_EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}
"""The extras of this distribution that install a driver."""

# Errors that no retry fixes, by their text: drivers have no error codes before the connection is established.
_PERMANENT_ERROR = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|Access denied"
    r"|Unknown database|Login failed|file is not a database|permission denied for|invalid dsn",
    re.IGNORECASE,
)


def check_database(uri: str) -> None:
    """Return if this version of MLflow can read the database unchanged; change nothing in it.

    Raises `StoreConfigError` if it cannot, `StoreUnavailable` if the database cannot be reached now.
    """
    url = connection_url(uri)
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise StoreConfigError(_missing_driver(uri, url, error)) from error
    try:
        with closing(engine.connect()) as connection:
            _check_schema(uri, connection)
    except DBAPIError as error:
        raise _connection_error(uri, error) from error
    finally:
        engine.dispose()


def create_sqlite_database(uri: str) -> None:
    """Create a SQLite database that does not exist yet, with its folder and MLflow's tables."""
    path = sqlite_file(parse_database_url(uri))
    if path is None or path.exists():
        return
    _make_parent_dirs_if_sqlite(uri)
    engine = create_sqlalchemy_engine(uri)
    try:
        _initialize_tables(engine)
    except BaseException:
        # The next start would refuse an incomplete database.
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        engine.dispose()


def silence_database_logs() -> None:
    """Silence MLflow's and Alembic's logs of opening a database; they contain SQL."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.ERROR)


def _check_schema(uri: str, connection: Connection) -> None:
    tables = {name for name in inspect(connection).get_table_names() if not name.startswith("alembic_")}
    heads = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_get_alembic_config(""))
    problem = _schema_problem(heads, tables, script)
    if problem:
        message = f"{redacted_uri(uri)}: {problem.format(uri=redacted_uri(uri), version=mlflow.__version__)}"
        raise StoreConfigError(message)


def _schema_problem(heads: Sequence[str], tables: set[str], script: ScriptDirectory) -> str | None:
    upgrade = "make a backup and run: mlflow db upgrade {uri}"
    if not tables:
        return f"the database is empty; to create MLflow's tables, {upgrade}"
    if not heads:
        return f"the database has tables, but no MLflow schema revision; {upgrade}"
    known = {revision.revision for revision in script.walk_revisions()}
    if not known.issuperset(heads):
        return (
            "the database was created by a later MLflow than this server's, {version}; upgrade MLflow here."
        )
    if set(heads) != set(script.get_heads()):
        return f"the database is behind this server's MLflow, {{version}}; {upgrade}"
    missing = sorted(set(Base.metadata.tables) - tables)
    return f"the database lacks tables of MLflow {{version}}: {', '.join(missing)}" if missing else None


def _missing_driver(uri: str, url: URL, error: Exception) -> str:
    name = error.name if isinstance(error, ImportError) and error.name else url.drivername
    extra = _DRIVER_EXTRAS.get(url.get_backend_name() if isinstance(error, ImportError) else "")
    install = f"pip install 'mlflow-gql-server[{extra}]'" if extra else f"pip install {name}"
    hint = "; write the URI as mysql+pymysql://" if name == "MySQLdb" else ""
    return f"{redacted_uri(uri)} needs the Python driver {name}, which is not installed: {install}{hint}"


def _connection_error(uri: str, error: DBAPIError) -> Exception:
    text = _one_line(error.orig)
    if _PERMANENT_ERROR.search(text):
        return StoreConfigError(f"{redacted_uri(uri)}: {text}")
    return StoreUnavailable("The tracking database cannot be reached.")


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())
