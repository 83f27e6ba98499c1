"""What clients see of errors: a message that is meant for them, and a code; of anything else an id."""

import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from schema.ports.errors import PublicError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
FORBIDDEN = "FORBIDDEN"
UNAUTHENTICATED = "UNAUTHENTICATED"
STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
OVERLOADED = "OVERLOADED"
RATE_LIMITED = "RATE_LIMITED"
NOT_FOUND_BY_HASH = "PERSISTED_QUERY_NOT_FOUND"
NOT_SUPPORTED_BY_HASH = "PERSISTED_QUERY_NOT_SUPPORTED"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"
INTERNAL = "INTERNAL_SERVER_ERROR"

_LONGEST = 1000
_SUGGESTION = re.compile(r" Did you mean .*\?", re.DOTALL)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hints:
    """How much graphql-core's messages tell of the schema."""

    suggestions: bool = True
    """Whether they say what one may have meant."""
    names: bool = True
    """Whether they name types, fields, arguments and values at all."""

    def told(self, message: str) -> str:
        """Return what a client is told of a message, which quotes the request at most so far."""
        if not self.names:
            return "The request does not fit the schema."
        if not self.suggestions:
            message = _SUGGESTION.sub("", message)
        return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


EVERYTHING = Hints()


def plain_error(message: str, code: str) -> dict[str, Any]:
    """Return an error that belongs to no place in the document."""
    return {"message": message, "extensions": {"code": code}}


def coded(errors: Sequence[GraphQLError], code: str, hints: Hints) -> list[dict[str, Any]]:
    """Return errors of graphql-core's own, found before anything ran, under one code."""
    return [_formatted(error, hints.told(error.message), code) for error in errors]


def unexpected(error: Exception, place: object = "no field") -> dict[str, Any]:
    """Log an error that nobody expected, with its traceback, and return what the client sees: its id."""
    number = uuid.uuid4().hex[:12]
    _log.error("error %s at %s", number, place, exc_info=error)
    return plain_error(f"Something went wrong here; the server's log has it as {number}.", INTERNAL)


def masked(errors: Sequence[GraphQLError], most: int, hints: Hints) -> list[dict[str, Any]]:
    """Return the errors of an execution as a client may see them, `most` of them at the most.

    A `PublicError` keeps its message and code, and so does what graphql-core says of a client's values.
    Anything else is logged with its traceback under an id, and the client gets the id alone.
    """
    seen = [_mask(error, hints) for error in errors[:most]]
    if len(errors) > most:
        message = f"{len(errors) - most} more errors were left out (GQL_MAX_ERRORS)."
        seen.append(plain_error(message, LIMIT_EXCEEDED))
    return seen


def _mask(error: GraphQLError, hints: Hints) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, PublicError):
        return _formatted(error, str(cause), cause.code)
    if cause is None or isinstance(cause, GraphQLError):
        return _formatted(error, hints.told(error.message), BAD_USER_INPUT)
    return _formatted(error, unexpected(cause, error.path)["message"], INTERNAL)


def _formatted(error: GraphQLError, message: str, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = {"message": message}
    if error.locations:
        formatted["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        formatted["path"] = error.path
    formatted["extensions"] = {"code": code}
    return formatted
