"""Errors as entries of a response's `errors`.

A client sees the message of an error that was written for it. Any other error is logged with its traceback
under an id, and the client sees the id alone.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from gql_server.config.error_detail import ErrorDetail
from gql_server.http.error_codes import ErrorCode
from schema.ports.errors import PublicError

_log = logging.getLogger(__name__)


def error_entry(message: str, code: str) -> dict[str, Any]:
    """Return an error without a location in the document."""
    return {"message": message, "extensions": {"code": code}}


def public_error_entry(error: PublicError) -> dict[str, Any]:
    """Return an expected error without a location in the document."""
    return {"message": str(error), "extensions": _extensions(error)}


def document_error_entries(
    errors: Sequence[GraphQLError], code: str, detail: ErrorDetail
) -> list[dict[str, Any]]:
    """Return graphql-core's errors of a document that was not executed, all under one code."""
    return [_located(error, detail.redact(error.message), {"code": code}) for error in errors]


def internal_error_entry(error: Exception, path: object = None) -> dict[str, Any]:
    """Log an unexpected error with its traceback under an id, and return an error that has only the id."""
    error_id = uuid.uuid4().hex[:12]
    _log.error("error %s at %s", error_id, path or "no field", exc_info=error)
    message = f"Internal server error. The server's log has the details under the id {error_id}."
    return error_entry(message, ErrorCode.INTERNAL_SERVER_ERROR)


def execution_error_entries(
    errors: Sequence[GraphQLError], max_errors: int, detail: ErrorDetail
) -> list[dict[str, Any]]:
    """Return the first `max_errors` errors of an execution, and one more that counts the omitted ones.

    A `PublicError` and graphql-core's own errors of a client's values have their message. The others are
    internal errors.
    """
    entries = [_execution_error_entry(error, detail) for error in errors[:max_errors]]
    if len(errors) > max_errors:
        message = f"{len(errors) - max_errors} more errors were omitted (GQL_MAX_ERRORS)."
        entries.append(error_entry(message, ErrorCode.LIMIT_EXCEEDED))
    return entries


def _execution_error_entry(error: GraphQLError, detail: ErrorDetail) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, PublicError):
        return _located(error, str(cause), _extensions(cause))
    if isinstance(cause, GraphQLError) and cause.nodes is None:
        # A scalar refused a stored value; an error in the document has nodes.
        return _located(error, detail.redact(error.message), {"code": ErrorCode.STORE_UNAVAILABLE})
    if cause is None or isinstance(cause, GraphQLError):
        return _located(error, detail.redact(error.message), {"code": ErrorCode.BAD_USER_INPUT})
    entry = internal_error_entry(cause, error.path)
    return _located(error, entry["message"], entry["extensions"])


def _extensions(error: PublicError) -> dict[str, str]:
    extensions = {"code": error.code}
    if error.mlflow_code is not None:
        extensions["mlflowErrorCode"] = error.mlflow_code
    return extensions


def _located(error: GraphQLError, message: str, extensions: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": message}
    if error.locations:
        entry["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        entry["path"] = error.path
    entry["extensions"] = extensions
    return entry
