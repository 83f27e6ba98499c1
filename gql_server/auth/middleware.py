"""Authentication and rate limit of every route that is not public."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller, current_caller
from gql_server.auth.rate_limit import RateLimiter
from gql_server.http.tracked_send import TrackedSend
from gql_server.observability.request_record import request_record
from schema.ports.errors import Unauthenticated


class AuthenticationMiddleware:
    """Middleware that sets `current_caller`, or raises `RequestError`.

    It also raises it if the route raises `Unauthenticated` for a caller whose own credentials go to the
    MLflow server: that server has rejected them.
    """

    def __init__(
        self, app: ASGIApp, *, authenticator: Authenticator, rate_limiter: RateLimiter | None
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._rate_limiter = rate_limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on in the context of its caller."""
        caller = await self._authenticate(Request(scope))
        tracked_send = TrackedSend(send)
        token = current_caller.set(caller)
        try:
            await self._app(scope, receive, tracked_send)
        except Unauthenticated:
            if tracked_send.started or caller.authorization is None:
                raise
            await self._authenticator.reject()
        finally:
            current_caller.reset(token)

    async def _authenticate(self, request: Request) -> Caller:
        caller = await self._authenticator.authenticate(request.headers)
        request_record(request.scope).set_caller(caller.name)
        if self._rate_limiter is not None:
            await self._rate_limiter.count(caller, request.client.host if request.client else "")
        return caller
