"""What clients see of errors: a message that is meant for them, and a code; of anything else an id."""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from schema.errors import Fault

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL_SERVER_ERROR"

_log = logging.getLogger(__name__)


def plain_error(message: str, code: str) -> dict[str, Any]:
    """Return an error that belongs to no place in the document."""
    return {"message": message, "extensions": {"code": code}}


def coded(errors: Sequence[GraphQLError], code: str) -> list[dict[str, Any]]:
    """Return errors of graphql-core's own, found before anything ran, under one code."""
    return [_formatted(error, error.message, code) for error in errors]


def masked(errors: Sequence[GraphQLError], most: int) -> list[dict[str, Any]]:
    """Return the errors of an execution as a client may see them, `most` of them at the most.

    A `Fault` keeps its message and code, and so does what graphql-core says of a client's values. Anything
    else is logged with its traceback under an id, and the client gets the id alone.
    """
    seen = [_mask(error) for error in errors[:most]]
    if len(errors) > most:
        message = f"{len(errors) - most} more errors were left out (GQL_MAX_ERRORS)."
        seen.append(plain_error(message, "LIMIT_EXCEEDED"))
    return seen


def _mask(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, Fault):
        return _formatted(error, str(cause), cause.code)
    if cause is None or isinstance(cause, GraphQLError):
        return _formatted(error, error.message, BAD_USER_INPUT)
    number = uuid.uuid4().hex[:12]
    _log.error("error %s at %s", number, error.path, exc_info=cause)
    return _formatted(error, f"Something went wrong here; the server's log has it as {number}.", INTERNAL)


def _formatted(error: GraphQLError, message: str, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    formatted["extensions"] = {"code": code}
    return formatted
