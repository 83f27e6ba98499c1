"""Requests that no route takes: they are told so as they are told of all else, in JSON."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from gql_server.http.errors import BAD_USER_INPUT
from gql_server.http.responses import error_reply
from schema.ports.errors import NotFound

_NOWHERE = "There is nothing at this address: the graph is at /graphql, tables are at /tables/runs.csv, say."
_READS = "This server only reads: it takes uploads when started with --writable (GQL_WRITABLE=true)."


async def nowhere(_request: Request, _error: Exception) -> Response:
    """Answer where nothing has the address."""
    return error_reply(HTTPStatus.NOT_FOUND, _NOWHERE, NotFound.code)


async def other_method(request: Request, error: Exception) -> Response:
    """Answer where what has the address does not take the method."""
    allow: str = getattr(error, "headers", {}).get("Allow", "")
    text = _READS if request.method == "PUT" and "PUT" not in allow else f"The methods are {allow}."
    return error_reply(HTTPStatus.METHOD_NOT_ALLOWED, text, BAD_USER_INPUT, allow=allow)
