"""A limit on the size of a request's headers.

uvicorn's httptools parser limits the URL and not the headers, and the time to parse some headers grows with
their size, before the caller is authenticated.
"""

from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_responses import error_response
from gql_server.http.request_error import RequestError

_MAX_BYTES: Final = 65_536
"""Bytes of all headers together: the limit of uvicorn's h11 parser; proxies have lower ones."""


class HeaderLimitMiddleware:
    """Middleware that responds with 431 to requests with too large headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if its headers are within the limit."""
        if scope["type"] == "http" and _size(scope) > _MAX_BYTES:
            message = f"The headers of the request have more than {_MAX_BYTES} bytes."
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            error = RequestError.from_message(message, ErrorCode.LIMIT_EXCEEDED, status)
            await error_response(scope, error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _size(scope: Scope) -> int:
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value)
    return size
