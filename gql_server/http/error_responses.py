"""The response to an exception."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import Scope

from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import internal_error_entry, public_error_entry
from gql_server.http.negotiation import negotiated_type
from gql_server.http.request_error import RETRY_SECONDS, RequestError
from gql_server.http.responses import json_response
from gql_server.observability.request_record import request_record
from schema.ports.errors import PublicError

_STATUSES: Final[Mapping[str, HTTPStatus]] = {
    ErrorCode.BAD_USER_INPUT: HTTPStatus.BAD_REQUEST,
    ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    # The store rejected this server's credentials. AuthenticationMiddleware responds for the caller's own.
    ErrorCode.UNAUTHENTICATED: HTTPStatus.BAD_GATEWAY,
    ErrorCode.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorCode.LIMIT_EXCEEDED: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ErrorCode.UNSUPPORTED_BY_STORE: HTTPStatus.NOT_IMPLEMENTED,
    ErrorCode.STORE_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.STORE_TIMEOUT: HTTPStatus.GATEWAY_TIMEOUT,
}
"""The status of a response to a `PublicError`, by its code; 500 for a code that is not here."""


def error_response(scope: Scope, error: Exception) -> Response:
    """Return the response to an exception, and record its codes for the access log.

    A `RequestError` has its own status and headers. A `PublicError` has the status of its code. Any other
    exception is logged under an id, and the response, 500, has the id alone.
    """
    refusal = request_error(error)
    request_record(scope).codes = refusal.codes
    media_type = negotiated_type(scope)
    body = orjson.dumps({"errors": refusal.errors})
    headers = {"cache-control": "no-store", **refusal.headers}
    return json_response(body, refusal.status_in(media_type), media_type, headers)


def request_error(error: Exception) -> RequestError:
    """Return an exception as a `RequestError`; an unexpected one is logged under an id."""
    if isinstance(error, RequestError):
        return error
    if not isinstance(error, PublicError):
        return RequestError([internal_error_entry(error)], HTTPStatus.INTERNAL_SERVER_ERROR)
    status = _STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {"retry-after": str(RETRY_SECONDS)} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return RequestError([public_error_entry(error)], status, headers)
