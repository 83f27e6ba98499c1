"""What went wrong in MLflow, as faults that a client may read.

Messages hold no file, host, URL or SQL: MLflow's own text is passed on only where it speaks of the request.
"""

import re
from collections.abc import Iterator

from google.protobuf.json_format import ParseError  # type: ignore[import-untyped]
from mlflow.exceptions import MlflowException, RestException
from requests import exceptions as http
from sqlalchemy import exc as sql
from urllib3.exceptions import ReadTimeoutError

from gql_server.stores.store_config_error import StoreConfigError
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

_LONGEST = 500
_NOT_JSON = "API request to endpoint "
"""How MLflow's client begins to speak of an answer that is not JSON, whatever its status."""
_UNREACHABLE = "The tracking store cannot be reached."
_SLOW = "The tracking store did not answer in time."
_FOREIGN = "Something other than MLflow answers at the tracking store's address."

_FIXED: dict[str, PublicError] = {
    "UNAUTHENTICATED": Unauthenticated("The tracking store did not accept the credentials."),
    "CUSTOMER_UNAUTHORIZED": Unauthenticated("The tracking store did not accept the credentials."),
    "PERMISSION_DENIED": Forbidden("The tracking store does not allow this."),
    "TEMPORARILY_UNAVAILABLE": StoreUnavailable("The tracking store is not available now."),
    "REQUEST_LIMIT_EXCEEDED": StoreUnavailable("The tracking store is asked too often now."),
    "RESOURCE_EXHAUSTED": StoreUnavailable("The tracking store is asked too often now."),
    # Of a question: what is refused of a change has its own words.
    "RESOURCE_ALREADY_EXISTS": StoreUnavailable("The tracking store is not available now."),
    "DEADLINE_EXCEEDED": StoreTimeout(_SLOW),
    "ENDPOINT_NOT_FOUND": UnsupportedByStore("The tracking store has no such function."),
    "NOT_IMPLEMENTED": UnsupportedByStore("The tracking store has no such function."),
}
_DATABASE = re.compile(
    r"\[SQL:|sqlalche\.me"
    r"|\((?:sqlite3|psycopg\w*|pymysql|MySQLdb|mysql|mariadb|pyodbc|pymssql|oracledb|sqlalchemy)\.[\w.]+\)"
)
"""What the text of a database has that an MLflow server hands on: its statement, its driver's exception."""
_QUOTED: dict[str, type[PublicError]] = {
    "INVALID_PARAMETER_VALUE": BadUserInput,
    "BAD_REQUEST": BadUserInput,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "NOT_FOUND": NotFound,
}


class NotMlflowError(StoreUnavailable):
    """Something that is no MLflow server answered where one should be: a page to log in at, say."""


def public_error_from(error: BaseException) -> PublicError | None:
    """Return the fault that an error stands for; None where it is a bug, or says what it should not."""
    if isinstance(error, PublicError):
        return error
    if isinstance(error, StoreConfigError):
        return StoreUnavailable("The tracking store is not usable; the server's log says why.")
    return _below(error) or _of_mlflow(error)


def code_of(error: MlflowException) -> str:
    """Return MLflow's name for what went wrong."""
    return str(error.error_code)


def speaks_of_database(error: MlflowException) -> bool:
    """Say whether a message is that of the database behind an MLflow server, with SQL in it."""
    return _DATABASE.search(str(error.message)) is not None


def _below(error: BaseException) -> PublicError | None:
    """Look at the libraries under MLflow, which wraps their errors in codes that say less."""
    # From the first cause on: requests calls a connection error what urllib3 knows to be a timeout.
    for cause in reversed(list(causes(error))):
        match cause:
            case ParseError():
                return NotMlflowError(_FOREIGN)
            case http.Timeout() | ReadTimeoutError():
                return StoreTimeout(_SLOW)
            case http.RequestException():
                return StoreUnavailable(_UNREACHABLE)
            case sql.DataError():
                return BadUserInput("A value is not one that the tracking database can hold.")
            case sql.OperationalError() | sql.InterfaceError() | sql.TimeoutError():
                return StoreUnavailable("The tracking database is not available now.")
    return None


def _of_mlflow(error: BaseException) -> PublicError | None:
    if not isinstance(error, MlflowException) or _database_spoke(error):
        return None
    code = code_of(error)
    fixed = _FIXED.get(code)
    if fixed is not None:
        return type(fixed)(*fixed.args)
    if not isinstance(error, RestException) and error.message.startswith(_NOT_JSON):
        # Its text is not quoted: it holds that of the page.
        return NotMlflowError(_FOREIGN)
    quoted = _QUOTED.get(code)
    if quoted is BadUserInput and speaks_of_database(error):
        return BadUserInput("The tracking store's database refuses this, or cannot hold a value of it.")
    return None if quoted is None or speaks_of_database(error) else quoted(cleaned(error.message, code))


def _database_spoke(error: BaseException) -> bool:
    return any(isinstance(cause, sql.SQLAlchemyError) for cause in causes(error))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Return the error, what it came of, what that came of, and so on, each once: they may go in a circle."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def cleaned(message: str, code: str) -> str:
    """Return MLflow's message as one line of bounded length, without its code and without URLs."""
    text = " ".join(message.removeprefix(f"{code}: ").split())
    text = re.sub(r"\b[a-z][a-z0-9+.-]*://\S+", "(a URL)", text, flags=re.IGNORECASE)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
