"""The permission to write, which read-only API keys and tokens do not have."""

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.auth.caller import Caller, authenticated_caller
from gql_server.http.csrf import SAFE_METHODS
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError


def check_may_write(caller: Caller) -> None:
    """Raise `RequestError`, 403, for a read-only caller."""
    if not caller.may_write:
        message = "These credentials allow reading only."
        raise RequestError.from_message(message, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)


class WritePermissionMiddleware:
    """Middleware behind `AuthenticationMiddleware` that refuses unsafe methods to read-only callers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if the caller may send it."""
        if scope["method"] not in SAFE_METHODS:
            check_may_write(authenticated_caller())
        await self._app(scope, receive, send)
