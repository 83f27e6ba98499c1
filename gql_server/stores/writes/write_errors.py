"""What went wrong in a change, as faults that say whether the change may have been applied."""

import logging
import re
from typing import Any

from mlflow.exceptions import MlflowException, RestException
from requests import exceptions as http
from sqlalchemy import exc as sql
from urllib3.exceptions import NewConnectionError

from gql_server.stores.errors import NotMlflowError, causes, cleaned, code_of, public_error_from
from schema.ports.errors import BadUserInput, PublicError, StoreTimeout, StoreUnavailable

_log = logging.getLogger(__name__)
_IN_DOUBT = "The change may or may not have been applied."
_UNTOLD = f"The tracking store could not do it. {_IN_DOUBT}"
_IN_THE_WAY = "Others change the same thing at the same time; this change was not applied."

_REFUSALS = {"INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_ALREADY_EXISTS"}
"""What MLflow says of a change that it does not take."""

# How databases name a row that is there already, and a deadlock, in what an MLflow server passes on of them.
_COLLISION = re.compile(r"IntegrityError|deadlock (detected|found)|could not serialize", re.IGNORECASE)
_UNDONE = {"40001", "40P01", 1213}
"""serialization_failure and deadlock_detected of Postgres, ER_LOCK_DEADLOCK of MySQL."""
_SQL = "[SQL: "


def public_write_error(error: BaseException, *, begun: bool) -> PublicError | None:
    """Return the fault that an error of a change stands for; None where it is a bug.

    `begun` is whether the store may have seen anything of the change.
    """
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    if collided(error):
        return StoreUnavailable(_IN_THE_WAY)
    if _SQL in str(error) and not _of_database(error):
        # An MLflow server's words about its own database.
        return StoreUnavailable(_UNTOLD)
    fault = public_error_from(error)
    if begun and (isinstance(fault, NotMlflowError) or (fault is None and isinstance(error, RestException))):
        _log.warning("the store answered a change with what says nothing of it", exc_info=error)
        return StoreUnavailable(_UNTOLD)
    if isinstance(fault, StoreUnavailable | StoreTimeout) and begun and not _unsent(error):
        return type(fault)(f"{fault} {_IN_DOUBT}")
    return fault


def in_doubt(seconds: float) -> StoreTimeout:
    """Return the fault of a change that took too long, and goes on."""
    return StoreTimeout(
        f"The tracking store did not answer within {seconds:g} seconds (GQL_STORE_TIMEOUT). {_IN_DOUBT}"
    )


def not_begun(seconds: float) -> StoreTimeout:
    """Return the fault of a change that waited too long for its turn."""
    return StoreTimeout(
        f"The tracking store had no time for this change within {seconds:g} seconds (GQL_STORE_TIMEOUT); "
        "it was not applied."
    )


def collided(error: BaseException) -> bool:
    """Say whether a database undid the change because another one came between."""
    if _code(error) == "RESOURCE_ALREADY_EXISTS":
        return False
    if isinstance(error, MlflowException) and _SQL in error.message and _COLLISION.search(error.message):
        return True
    return any(_undone(cause) for cause in causes(error))


def _undone(cause: BaseException) -> bool:
    if isinstance(cause, sql.IntegrityError):
        return True
    original: Any = cause.orig if isinstance(cause, sql.OperationalError) else None
    codes = {getattr(original, "sqlstate", None), *getattr(original, "args", ())[:1]}
    return bool(codes & _UNDONE) if original is not None else False


def _refusal(error: BaseException) -> PublicError | None:
    """Return MLflow's refusal; a file store's is wrapped in an error that says less."""
    for cause in causes(error):
        code = _code(cause)
        if code in _REFUSALS and isinstance(cause, MlflowException):
            # In a database's refusal of a name in use, the SQL comes behind the sentence.
            text = cleaned(cause.message, code).partition(" Error: ")[0]
            return None if _SQL in text else BadUserInput(text)
    return None


def _code(error: BaseException) -> str:
    return code_of(error) if isinstance(error, MlflowException) else ""


def _of_database(error: BaseException) -> bool:
    return any(isinstance(cause, sql.SQLAlchemyError) for cause in causes(error))


def _unsent(error: BaseException) -> bool:
    return any(isinstance(cause, http.ConnectTimeout | NewConnectionError) for cause in causes(error))
