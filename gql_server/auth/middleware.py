"""Files and tables are for whoever may ask the graph: the same door stands before them."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller, current
from gql_server.auth.rate_limit import RateLimiter
from gql_server.http.csrf import crosses
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.http.responses import error_response
from gql_server.observability.request_record import request_record
from schema.ports.errors import Unauthenticated

_READING = {"GET", "HEAD", "OPTIONS"}
_GUARDED = ("/artifacts", "/model-artifacts", "/tables")


def guarded(scope: Scope) -> str | None:
    """Return which of the guarded routes a request is for; None where it is for none of them."""
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    return next((route for route in _GUARDED if path.startswith(f"{route}/")), None)


class AuthenticationMiddleware:
    """Middleware before the paths beside `/graphql` that give or take what is in the store."""

    def __init__(
        self, app: ASGIApp, door: Authenticator, rates: RateLimiter | None, origins: tuple[str, ...]
    ) -> None:
        self._app = app
        self._door = door
        self._rates = rates
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may ask, as the caller that worker threads are told of."""
        if scope["type"] != "http" or guarded(scope) is None:
            await self._app(scope, receive, send)
            return
        try:
            current.set(await self._caller(Request(scope)))
            await self._answer(scope, receive, send)
        except RequestError as refusal:
            request_record(scope).codes = refusal.codes
            await error_response(refusal)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; raise Refusal where the MLflow server does not know the caller's credentials."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Unauthenticated:
            if begun:
                raise
            await self._door.refuse()

    async def _caller(self, request: Request) -> Caller:
        # A link that is followed from elsewhere, or opened by a tool, is no other site's request.
        why = crosses(request.headers, self._origins, must_ask=False)
        if why is not None and request.method not in _READING:
            raise RequestError.from_message(why, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)
        caller = await self._door.let_in(request.headers)
        request_record(request.scope).set_caller(caller.name)
        if self._rates is not None:
            await self._rates.count(caller, request.client.host if request.client else "")
        if request.method not in _READING and not caller.may_write:
            text = "These credentials are for reading alone."
            raise RequestError.from_message(text, ErrorCode.FORBIDDEN, HTTPStatus.FORBIDDEN)
        return caller
