"""Failures to connect to a database, as errors in configuration or as a store that is not available now."""

import re
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from gql_server.stores.driver_codes import codes_of
from gql_server.stores.store_config_error import StoreConfigError
from gql_server.stores.uri import redacted_uri
from schema.ports.errors import StoreUnavailable

LOCKED = "The tracking database is locked by another process."
DAMAGED = "The tracking database is damaged, or its file is not a database."

# https://www.sqlite.org/rescode.html
_SQLITE_LOCKED = {5, 6}
_SQLITE_READ_ONLY = 8
_SQLITE_DAMAGED = {11, 26}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: lock_not_available
_POSTGRES_LOCKED = "55P03"
# ER_LOCK_WAIT_TIMEOUT of MySQL and MariaDB
_MYSQL_LOCKED = 1205
_DRIVER_EXTRAS = {"postgresql": "postgres", "mysql": "mysql"}
"""The extras of this distribution that install a driver."""

# Errors that no retry fixes, by their text: drivers have no error codes before the connection is established.
_PERMANENT_ERROR = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|Access denied"
    r"|Unknown database|Login failed|file is not a database|permission denied for|invalid dsn",
    re.IGNORECASE,
)


def missing_driver(uri: str, url: URL, error: Exception) -> StoreConfigError:
    """Return the error for a URL whose driver or dialect cannot be imported."""
    name = error.name if isinstance(error, ImportError) and error.name else url.drivername
    extra = _DRIVER_EXTRAS.get(url.get_backend_name() if isinstance(error, ImportError) else "")
    install = f"pip install 'mlflow-gql-server[{extra}]'" if extra else f"pip install {name}"
    hint = "; write the URI as mysql+pymysql://" if name == "MySQLdb" else ""
    return StoreConfigError(
        f"{redacted_uri(uri)} needs the Python driver {name}, which is not installed: {install}{hint}"
    )


def connection_error(uri: str, error: DBAPIError) -> StoreConfigError | StoreUnavailable:
    """Return the error for a database that cannot be connected to, or whose schema cannot be read."""
    text = " ".join(str(error.orig).split())
    if _PERMANENT_ERROR.search(text):
        return StoreConfigError(f"{redacted_uri(uri)}: {text}")
    if is_locked(error.orig):
        return StoreUnavailable(LOCKED)
    if codes_of(error.orig).sqlite == _SQLITE_READ_ONLY:
        return StoreUnavailable(
            "The tracking database was not closed properly: a program that may write must open it once."
        )
    return StoreUnavailable("The tracking database cannot be reached.")


def is_damaged(error: Any) -> bool:
    """Return whether a driver's error is for a file that is damaged or no database.

    Drivers raise the base class of their errors for it, of which a statement's error is one as well.
    """
    codes = codes_of(error)
    # https://www.postgresql.org/docs/current/errcodes-appendix.html: data_corrupted, index_corrupted
    return codes.sqlite in _SQLITE_DAMAGED or codes.sqlstate in {"XX001", "XX002"}


def is_locked(error: Any) -> bool:
    """Return whether a driver's error is for a file or a table that another connection has locked."""
    codes = codes_of(error)
    return (
        codes.sqlite in _SQLITE_LOCKED or codes.sqlstate == _POSTGRES_LOCKED or codes.number == _MYSQL_LOCKED
    )
