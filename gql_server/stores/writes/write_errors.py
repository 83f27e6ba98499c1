"""Errors of writes as public errors, which state whether the change may have been applied."""

import logging
import re
from typing import Any

from mlflow.exceptions import MlflowException, RestException
from requests import exceptions as http
from sqlalchemy import exc as sql
from urllib3.exceptions import NewConnectionError

from gql_server.stores.error_chain import error_chain
from gql_server.stores.errors import public_error_from
from gql_server.stores.mlflow.client_errors import code_of, sanitized
from gql_server.stores.not_mlflow_error import NotMlflowError
from schema.ports.errors import BadUserInput, LimitExceeded, PublicError, StoreTimeout, StoreUnavailable

_log = logging.getLogger(__name__)
_IN_DOUBT = "The change may or may not have been applied."
_FAILED_IN_DOUBT = f"The tracking store failed. {_IN_DOUBT}"
_CONFLICT = "Concurrent changes conflict with this change; it was not applied."

_REFUSAL_CODES = {"INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_ALREADY_EXISTS"}
"""MLflow's error codes for a change that it refuses."""

# A database's names for a duplicate row and for a deadlock, in messages that an MLflow server passes on.
_CONFLICT_MESSAGE = re.compile(r"IntegrityError|deadlock (detected|found)|could not serialize", re.IGNORECASE)
_CONFLICT_CODES = {"40001", "40P01", 1213}
"""serialization_failure and deadlock_detected of PostgreSQL, ER_LOCK_DEADLOCK of MySQL."""
_SQL = "[SQL: "


def public_write_error(error: BaseException, *, started: bool) -> PublicError | None:
    """Return the public error for an error of a write; None for a bug.

    `started` is whether the store may have processed any of the write.
    """
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    if is_conflict(error):
        return StoreUnavailable(_CONFLICT)
    if _SQL in str(error) and not _is_from_database(error):
        # An MLflow server's message about its own database.
        return StoreUnavailable(_FAILED_IN_DOUBT)
    public = public_error_from(error)
    unknown = public is None and isinstance(error, RestException)
    if started and (unknown or isinstance(public, NotMlflowError)):
        _log.warning("the store's response to a change does not state whether it was applied", exc_info=error)
        return StoreUnavailable(_FAILED_IN_DOUBT)
    if (
        isinstance(public, StoreUnavailable | StoreTimeout | LimitExceeded)
        and started
        and not _was_not_sent(error)
    ):
        return public.with_message(f"{public} {_IN_DOUBT}")
    return public


def timed_out_in_doubt(seconds: float) -> StoreTimeout:
    """Return the error of a write that exceeded the timeout and continues."""
    return StoreTimeout(
        f"The tracking store did not respond within {seconds:g} seconds (GQL_STORE_TIMEOUT). {_IN_DOUBT}"
    )


def timed_out_in_queue(seconds: float) -> StoreTimeout:
    """Return the error of a write that exceeded the timeout before it started."""
    return StoreTimeout(
        f"This change did not start within {seconds:g} seconds (GQL_STORE_TIMEOUT), because other changes "
        "occupy the tracking store; it was not applied."
    )


def is_conflict(error: BaseException) -> bool:
    """Return whether a database rolled the write back because of a concurrent one."""
    if _code(error) == "RESOURCE_ALREADY_EXISTS":
        return False
    message = error.message if isinstance(error, MlflowException) else ""
    if _SQL in message and _CONFLICT_MESSAGE.search(message):
        return True
    return any(_is_rollback(cause) for cause in error_chain(error))


def _is_rollback(cause: BaseException) -> bool:
    if isinstance(cause, sql.IntegrityError):
        return True
    original: Any = cause.orig if isinstance(cause, sql.OperationalError) else None
    codes = {getattr(original, "sqlstate", None), *getattr(original, "args", ())[:1]}
    return bool(codes & _CONFLICT_CODES) if original is not None else False


def _refusal(error: BaseException) -> PublicError | None:
    """Return MLflow's refusal; a file store wraps it in a less specific error."""
    for cause in error_chain(error):
        code = _code(cause)
        if code in _REFUSAL_CODES and isinstance(cause, MlflowException):
            # If a database refuses a name in use, its SQL follows the sentence.
            text = sanitized(cause.message, code).partition(" Error: ")[0]
            return None if _SQL in text else BadUserInput(text, mlflow_code=code)
    return None


def _code(error: BaseException) -> str:
    return code_of(error) if isinstance(error, MlflowException) else ""


def _is_from_database(error: BaseException) -> bool:
    return any(isinstance(cause, sql.SQLAlchemyError) for cause in error_chain(error))


def _was_not_sent(error: BaseException) -> bool:
    return any(isinstance(cause, http.ConnectTimeout | NewConnectionError) for cause in error_chain(error))
