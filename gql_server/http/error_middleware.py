"""The response to an exception that a route raises."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.http.error_codes import ErrorCode
from gql_server.http.negotiation import negotiated_type
from gql_server.http.request_error import RequestError
from gql_server.http.responses import CLIENT_CLOSED_REQUEST, error_response
from gql_server.http.streaming import send_response
from gql_server.observability.request_record import request_record
from schema.ports.errors import PublicError


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
        started = False

        async def tracking_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, tracking_send)
        except Exception as error:
            if started:
                raise
            request = Request(scope, receive)
            await send_response(request, _response(request, error), send, self._send_timeout)


def _response(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    request_record(request.scope).codes = _codes(error)
    return error_response(error, media_type=negotiated_type(request.scope))


def _codes(error: Exception) -> tuple[str, ...]:
    if isinstance(error, RequestError):
        return error.codes
    return (error.code,) if isinstance(error, PublicError) else (ErrorCode.INTERNAL_SERVER_ERROR,)
