"""A look at a database before MLflow opens it, for MLflow creates and migrates what it opens.

`SqlAlchemyStore` upgrades a database that lacks a table, however old it is, without asking.
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
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import shown, sqlite_file
from schema.ports.errors import StoreUnavailable

_CONNECT_SECONDS = 10
_DRIVERS = {"postgresql": "postgres", "mysql": "mysql"}
"""The extras of this distribution that bring a driver."""

# What no waiting mends, by its text: drivers have no codes before a connection stands.
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|Access denied"
    r"|Unknown database|Login failed|file is not a database|permission denied for|invalid dsn",
    re.IGNORECASE,
)


def parsed(uri: str) -> URL:
    """Return the URI's parts, or raise `StoreConfigError`."""
    try:
        return make_url(uri)
    except (ArgumentError, ValueError):
        message = f"{shown(uri)} is not a database URI that SQLAlchemy can read."
        raise StoreConfigError(message) from None


def connectable(uri: str) -> URL:
    """Return the URL to connect to: one that never makes a SQLite file and does not wait for ever.

    Raises `StoreConfigError` where the file is not there, since connecting would be what makes it.
    """
    url = parsed(uri)
    path = sqlite_file(url)
    if path is None:
        return url if url.get_backend_name() == "sqlite" else _impatient(url)
    if not path.is_file():
        message = f"{shown(uri)}: there is no such file."
        raise StoreConfigError(message)
    if url.query.get("uri"):
        return url if "mode" in url.query else url.update_query_dict({"mode": "rw"})
    quoted = re.sub(r"[%?#]", lambda match: f"%{ord(match[0]):02X}", str(path.absolute()))
    return url.set(database=f"file:{quoted}").update_query_dict({"mode": "rw", "uri": "true"})


def check(uri: str) -> None:
    """Return if the database is one that this MLflow reads as it is; nothing in it changes.

    Raises `StoreConfigError` where it never will be, `StoreUnavailable` where it cannot be reached now.
    """
    url = connectable(uri)
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (ImportError, NoSuchModuleError) as error:
        raise StoreConfigError(_driver_missing(uri, url, error)) from error
    try:
        with closing(engine.connect()) as connection:
            _check_schema(uri, connection)
    except DBAPIError as error:
        raise _connecting_failed(uri, error) from error
    finally:
        engine.dispose()


def create(uri: str) -> None:
    """Make a SQLite database that is not there yet, with its folder and MLflow's tables."""
    path = sqlite_file(parsed(uri))
    if path is None or path.exists():
        return
    _make_parent_dirs_if_sqlite(uri)
    engine = create_sqlalchemy_engine(uri)
    try:
        _initialize_tables(engine)
    except BaseException:
        # What is half made would be refused at the next start.
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        engine.dispose()


def quieten() -> None:
    """Silence what MLflow and Alembic log while they open: it holds SQL, and this server says what failed."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.ERROR)


def _impatient(url: URL) -> URL:
    if url.get_backend_name() not in _DRIVERS or "connect_timeout" in url.query:
        return url
    return url.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})


def _check_schema(uri: str, connection: Connection) -> None:
    tables = {name for name in inspect(connection).get_table_names() if not name.startswith("alembic_")}
    heads = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(_get_alembic_config(""))
    reason = _out_of_step(heads, tables, script)
    if reason:
        message = f"{shown(uri)}: {reason.format(uri=shown(uri), version=mlflow.__version__)}"
        raise StoreConfigError(message)


def _out_of_step(heads: Sequence[str], tables: set[str], script: ScriptDirectory) -> str | None:
    upgrade = "make a backup and run: mlflow db upgrade {uri}"
    if not tables:
        return f"the database is empty; to make MLflow's tables, {upgrade}"
    if not heads:
        return f"the database holds tables, and none of them tells MLflow's revision; {upgrade}"
    known = {revision.revision for revision in script.walk_revisions()}
    if not known.issuperset(heads):
        return "the database was made by a later MLflow than this server's, {version}; upgrade MLflow here."
    if set(heads) != set(script.get_heads()):
        return f"the database is behind this server's MLflow, {{version}}; {upgrade}"
    missing = sorted(set(Base.metadata.tables) - tables)
    return f"the database lacks tables of MLflow {{version}}: {', '.join(missing)}" if missing else None


def _driver_missing(uri: str, url: URL, error: Exception) -> str:
    name = error.name if isinstance(error, ImportError) and error.name else url.drivername
    extra = _DRIVERS.get(url.get_backend_name() if isinstance(error, ImportError) else "")
    install = f"pip install 'mlflow-gql-server[{extra}]'" if extra else f"pip install {name}"
    written = "; write the URI as mysql+pymysql://" if name == "MySQLdb" else ""
    return f"{shown(uri)} needs the Python driver {name}, which is not installed: {install}{written}"


def _connecting_failed(uri: str, error: DBAPIError) -> Exception:
    said = _one_line(error.orig)
    if _REFUSED.search(said):
        return StoreConfigError(f"{shown(uri)}: {said}")
    return StoreUnavailable("The tracking database cannot be reached.")


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())
