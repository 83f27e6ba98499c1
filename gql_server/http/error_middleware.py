"""The response to an exception that a route raises."""

from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.error_responses import error_response
from gql_server.http.streaming import send_response
from gql_server.http.tracked_send import TrackedSend

_CLIENT_CLOSED_REQUEST: Final = 499
"""nginx's status for a client that closed the connection before the response; only the access log has it."""


class ErrorMiddleware:
    """Middleware that responds to every exception by `error_response`.

    An exception after the start of the response is raised again: the server then closes the connection.
    """

    def __init__(self, app: ASGIApp, send_timeout: float) -> None:
        self._app = app
        self._send_timeout = send_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and respond if the application raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        tracked_send = TrackedSend(send)
        try:
            await self._app(scope, receive, tracked_send)
        except Exception as error:
            if tracked_send.started:
                raise
            await send_response(scope, receive, send, _response(scope, error), self._send_timeout)


def _response(scope: Scope, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=_CLIENT_CLOSED_REQUEST)
    return error_response(scope, error)
