"""How large a request's head may be: uvicorn's fast parser bounds its address, and nothing of its headers.

What reads a header takes time that grows with it, and before anybody is asked who they are.
"""

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.errors import LIMIT_EXCEEDED
from gql_server.http.responses import error_reply

_MOST = 65_536
"""Bytes of all headers together: as many as uvicorn's other parser takes, and proxies take fewer."""


class HeaderLimitMiddleware:
    """Middleware that refuses requests with headers larger than anyone needs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is not too large."""
        if scope["type"] == "http" and _size(scope) > _MOST:
            text = f"The headers of the request have more than {_MOST} bytes."
            refusal = error_reply(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text, LIMIT_EXCEEDED)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _size(scope: Scope) -> int:
    return sum(len(name) + len(value) for name, value in scope["headers"])
