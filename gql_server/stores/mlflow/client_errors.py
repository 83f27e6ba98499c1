"""Errors of MLflow and the libraries below it, as errors that a client may read.

The messages contain no file, host, URL or SQL. MLflow's own text is quoted only if it is about the request.
"""

import re

from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]
from mlflow.exceptions import MlflowException, RestException
from requests import exceptions as http
from sqlalchemy import exc as sql
from urllib3.exceptions import ReadTimeoutError

from gql_server.runtime.operation_budget import BudgetExceeded
from gql_server.runtime.upstream_response import EmptyResponseError, ResponseTooLargeError
from gql_server.stores.database_errors import DAMAGED, is_damaged
from gql_server.stores.error_chain import error_chain
from gql_server.stores.limit_errors import response_too_large
from gql_server.stores.message_text import shortened
from gql_server.stores.not_mlflow_error import NotMlflowError
from schema.ports.errors import (
    BadUserInput,
    Forbidden,
    NotFound,
    PublicError,
    StoreTimeout,
    StoreUnavailable,
    Unauthenticated,
    UnsupportedByStore,
)

_NOT_JSON = "API request to endpoint "
"""The start of the message of MLflow's client for a response that is not JSON, with any status."""
_UNREACHABLE = "The tracking store cannot be reached."
_OVERLOADED = "The tracking store is receiving too many requests now."
_SLOW = "The tracking store did not respond in time."
_FOREIGN = "The server at the tracking store's address is not MLflow."

_FIXED: dict[str, PublicError] = {
    "UNAUTHENTICATED": Unauthenticated("The tracking store did not accept the credentials."),
    "CUSTOMER_UNAUTHORIZED": Unauthenticated("The tracking store did not accept the credentials."),
    "PERMISSION_DENIED": Forbidden("The tracking store does not allow this."),
    "TEMPORARILY_UNAVAILABLE": StoreUnavailable("The tracking store is not available now."),
    "REQUEST_LIMIT_EXCEEDED": StoreUnavailable(_OVERLOADED),
    "RESOURCE_EXHAUSTED": StoreUnavailable(_OVERLOADED),
    # For reads; errors of writes have their own messages.
    "RESOURCE_ALREADY_EXISTS": StoreUnavailable("The tracking store is not available now."),
    "DEADLINE_EXCEEDED": StoreTimeout(_SLOW),
    "ENDPOINT_NOT_FOUND": UnsupportedByStore("The tracking store has no such function."),
    "NOT_IMPLEMENTED": UnsupportedByStore("The tracking store has no such function."),
}
_BY_CLASS: list[tuple[tuple[type[BaseException], ...], PublicError]] = [
    ((ParseError, EmptyResponseError), NotMlflowError(_FOREIGN)),
    ((http.Timeout, ReadTimeoutError), StoreTimeout(_SLOW)),
    ((http.RequestException,), StoreUnavailable(_UNREACHABLE)),
    ((sql.DataError,), BadUserInput("The tracking database cannot store one of the values.")),
    (
        (sql.OperationalError, sql.InterfaceError, sql.TimeoutError),
        StoreUnavailable("The tracking database is not available now."),
    ),
]
"""The error for each class; the first match counts."""
_SQL = re.compile(
    r"\[SQL:|sqlalche\.me"
    r"|\((?:sqlite3|psycopg\w*|pymysql|MySQLdb|mysql|mariadb|pyodbc|pymssql|oracledb|sqlalchemy)\.[\w.]+\)"
)
"""Matches a database error that an MLflow server passes on: its statement, or its driver's exception."""
_QUOTED: dict[str, type[PublicError]] = {
    "INVALID_PARAMETER_VALUE": BadUserInput,
    "BAD_REQUEST": BadUserInput,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "NOT_FOUND": NotFound,
}


def public_error_from_library(error: BaseException) -> PublicError | None:
    """Return the public form of an error of MLflow or a library below it; None for any other error."""
    return _from_library(error) or _from_mlflow(error)


def code_of(error: MlflowException) -> str:
    """Return MLflow's error code."""
    return str(error.error_code)


def no_entity() -> NotMlflowError:
    """Return the error for a response to a lookup without the object that was looked up."""
    return NotMlflowError(_FOREIGN)


def contains_sql(error: MlflowException) -> bool:
    """Return whether a message is an error of the database behind an MLflow server, with SQL in it."""
    return _SQL.search(str(error.message)) is not None


def _from_library(error: BaseException) -> PublicError | None:
    """Return the public form of an error of a library below MLflow, whose code is less specific."""
    # From the first cause on: what is a timeout for urllib3 is a connection error for requests.
    causes = reversed(list(error_chain(error)))
    return next(filter(None, map(_public_error_of_cause, causes)), None)


def _public_error_of_cause(cause: BaseException) -> PublicError | None:
    if isinstance(cause, BudgetExceeded):
        return cause
    if isinstance(cause, ResponseTooLargeError):
        return response_too_large(cause.max_bytes)
    if isinstance(cause, sql.DatabaseError) and is_damaged(cause.orig):
        return StoreUnavailable(DAMAGED)
    return next(
        (error.with_message(str(error)) for classes, error in _BY_CLASS if isinstance(cause, classes)), None
    )


def _from_mlflow(error: BaseException) -> PublicError | None:
    if not isinstance(error, MlflowException) or _is_database_error(error):
        return None
    code = code_of(error)
    fixed = _FIXED.get(code)
    if fixed is not None:
        return type(fixed)(str(fixed), mlflow_code=code)
    if not isinstance(error, RestException) and error.message.startswith(_NOT_JSON):
        # The message is not quoted, because it contains the text of the page.
        return NotMlflowError(_FOREIGN)
    quoted = _QUOTED.get(code)
    if quoted is BadUserInput and contains_sql(error):
        message = "The tracking store's database rejected the request or one of the values in it."
        return BadUserInput(message, mlflow_code=code)
    if quoted is None or contains_sql(error):
        return None
    return quoted(sanitized(error.message, code), mlflow_code=code)


def _is_database_error(error: BaseException) -> bool:
    return any(isinstance(cause, sql.SQLAlchemyError) for cause in error_chain(error))


def sanitized(message: str, code: str) -> str:
    """Return MLflow's message as one line of limited length, without its code and without URLs."""
    return shortened(message.removeprefix(f"{code}: "))
