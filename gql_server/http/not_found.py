"""Responses to requests that no route serves."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_responses import error_response
from gql_server.http.request_error import RequestError

_NOT_FOUND: Final = "No such path: the graph is at /graphql, tables are at /tables/runs.csv and others."
_READ_ONLY: Final = "The server is read-only; start it with --writable (GQL_WRITABLE=true) to upload files."


async def not_found(request: Request, _error: Exception) -> Response:
    """Return the response to a path that no route has."""
    not_found_error = RequestError.from_message(_NOT_FOUND, ErrorCode.NOT_FOUND, HTTPStatus.NOT_FOUND)
    return error_response(request.scope, not_found_error)


async def method_not_allowed(request: Request, error: Exception) -> Response:
    """Return the response to a method that the route does not have."""
    allow: str = getattr(error, "headers", {}).get("Allow", "")
    message = _READ_ONLY if request.method == "PUT" and "PUT" not in allow else f"Allowed methods: {allow}."
    status = HTTPStatus.METHOD_NOT_ALLOWED
    refusal = RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, status, allow=allow)
    return error_response(request.scope, refusal)
