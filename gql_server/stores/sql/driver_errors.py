"""Errors of database drivers as errors that a client may read; none of them contains SQL."""

import logging
from typing import Any

from sqlalchemy import exc

from gql_server.stores.database_errors import DAMAGED, LOCKED, is_damaged, is_locked
from gql_server.stores.driver_codes import codes_of
from gql_server.stores.errors import public_error_from
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import BadUserInput, PublicError, StoreTimeout, StoreUnavailable

_log = logging.getLogger(__name__)

# https://www.sqlite.org/rescode.html: SQLITE_ERROR, an error in the statement itself
_SQLITE_ERROR = 1
# https://www.postgresql.org/docs/current/errcodes-appendix.html: query_canceled
_POSTGRES_CANCELED = "57014"
# undefined_table, undefined_column, and the change of a type under a prepared statement
_POSTGRES_SCHEMA_CODES = {"42P01", "42703", "0A000"}
# ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_TABLE_DEF_CHANGED
_MYSQL_SCHEMA_CODES = {1146, 1054, 1412}
# ER_QUERY_TIMEOUT of MySQL and ER_STATEMENT_TIMEOUT of MariaDB
_MYSQL_TIMEOUTS = {3024, 1969}

# https://www.postgresql.org/docs/current/errcodes-appendix.html: the classes of errors, for which
# asyncpg has no exception classes of these names
_STATE_KINDS = {
    "22": "DataError",
    **dict.fromkeys(("08", "40", "53", "55", "57", "58"), "OperationalError"),
}

_UNAVAILABLE = "The tracking database is not available now."
_INVALID_VALUE = "The tracking database cannot store one of the values."


def database_timeout(seconds: float) -> StoreTimeout:
    """Return the error for a database that took longer than `seconds`."""
    return StoreTimeout(f"The tracking database did not respond within {seconds:g} s.")


def public_error_from_driver(error: Exception, timeout: float) -> PublicError | None:
    """Return the public form of a driver's error; None if the error is a bug of this server.

    Takes the drivers' own errors as well as SQLAlchemy's, because rows are fetched without SQLAlchemy.
    """
    if isinstance(error, PublicError | StoreConfigError):
        return public_error_from(error)
    original: Any = error.orig if isinstance(error, exc.DBAPIError) else error
    kind = _kind(error)
    if kind == "DataError":
        return BadUserInput(_INVALID_VALUE)
    if is_damaged(original):
        _log.error("%s", DAMAGED, exc_info=original)
        return StoreUnavailable(DAMAGED)
    return _public_failure(error, original, kind, timeout)


def _public_failure(error: Exception, original: Any, kind: str, timeout: float) -> PublicError | None:
    if kind not in {"OperationalError", "InterfaceError", "TimeoutError"} and not _is_disconnect(error):
        return None
    if codes_of(original).sqlite == _SQLITE_ERROR:
        return None
    _log.warning("The tracking database failed: %s", type(original).__name__, exc_info=original)
    if _is_timeout(original):
        return database_timeout(timeout)
    return StoreUnavailable(LOCKED if is_locked(original) else _UNAVAILABLE)


def is_schema_error(error: Exception) -> bool:
    """Return whether a statement failed for a table or column that the database does not have (any more)."""
    original: Any = error.orig if isinstance(error, exc.DBAPIError) else error
    codes = codes_of(original)
    return (
        codes.sqlite == _SQLITE_ERROR
        or codes.sqlstate in _POSTGRES_SCHEMA_CODES
        or (_is_database_error(error) and codes.number in _MYSQL_SCHEMA_CODES)
    )


def _kind(error: Exception) -> str:
    state = codes_of(error).sqlstate or ""
    if state[:2] in _STATE_KINDS:
        return _STATE_KINDS[state[:2]]
    # Drivers for Postgres have an exception class for each condition, derived from those of DB-API 2.0.
    names = {base.__name__ for base in type(error).__mro__}
    for name in ("DataError", "OperationalError", "InterfaceError", "TimeoutError"):
        if name in names:
            return name
    return ""


def _is_database_error(error: Exception) -> bool:
    # https://peps.python.org/pep-0249/#exceptions: the base class of all errors of a driver's statements
    return any(base.__name__ == "DatabaseError" for base in type(error).__mro__)


def _is_disconnect(error: Exception) -> bool:
    return isinstance(error, exc.DBAPIError) and error.connection_invalidated


def _is_timeout(original: Any) -> bool:
    codes = codes_of(original)
    return codes.sqlstate == _POSTGRES_CANCELED or codes.number in _MYSQL_TIMEOUTS
