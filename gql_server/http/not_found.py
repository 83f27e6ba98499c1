"""Responses to requests that no route serves."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.http.responses import error_response

_NOT_FOUND: Final = "No such path: the graph is at /graphql, tables are at /tables/runs.csv and others."
_READ_ONLY: Final = "The server is read-only; start it with --writable (GQL_WRITABLE=true) to upload files."


async def not_found(_request: Request, _error: Exception) -> Response:
    """Return the response to a path that no route has."""
    return error_response(RequestError.from_message(_NOT_FOUND, ErrorCode.NOT_FOUND, HTTPStatus.NOT_FOUND))


async def method_not_allowed(request: Request, error: Exception) -> Response:
    """Return the response to a method that the route does not have."""
    allow: str = getattr(error, "headers", {}).get("Allow", "")
    message = _READ_ONLY if request.method == "PUT" and "PUT" not in allow else f"Allowed methods: {allow}."
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return error_response(RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, status, allow=allow))
