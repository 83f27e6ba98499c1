"""The responses of `/graphql` that need no credentials, and the media type of its other responses."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_codes import ErrorCode
from gql_server.http.negotiation import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    StreamUse,
    prefers_page,
    response_type,
    set_negotiated_type,
    stream_use,
)
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers
from gql_server.http.streaming import send_response

_METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")


class NegotiationMiddleware:
    """Middleware of `/graphql`, before authentication.

    It responds with the GraphiQL page to browsers if there is a page, with the methods to OPTIONS, with 405
    to other methods and with 406 to other media types. It negotiates the media type of the other responses.
    """

    def __init__(self, app: ASGIApp, *, page: Callable[[], Response] | None, send_timeout: float) -> None:
        self._app = app
        self._page = page
        self._send_timeout = send_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond, or pass the request on."""
        method, accept = scope["method"], request_headers(scope).get("accept", "")
        # A browser gets the page for a URL with a query too: GraphiQL shows the query before it is executed.
        if self._page is not None and method in {"GET", "HEAD"} and prefers_page(accept):
            await send_response(scope, receive, send, await asyncio.to_thread(self._page), self._send_timeout)
            return
        media_type = response_type(accept)
        set_negotiated_type(scope, media_type or JSON)
        if method == "OPTIONS":
            response = Response(status_code=HTTPStatus.NO_CONTENT, headers={"allow": ", ".join(_METHODS)})
            await response(scope, receive, send)
            return
        if method not in _METHODS:
            raise _method_not_allowed()
        if media_type is None and stream_use(accept) is StreamUse.NEVER:
            message = f"The response is available as {GRAPHQL_RESPONSE}, {JSON} and {EVENT_STREAM} only."
            raise RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, HTTPStatus.NOT_ACCEPTABLE)
        await self._app(scope, receive, send)


def _method_not_allowed() -> RequestError:
    allow = ", ".join(_METHODS)
    message = f"Allowed methods: {allow}."
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return RequestError.from_message(message, ErrorCode.BAD_USER_INPUT, status, allow=allow)
