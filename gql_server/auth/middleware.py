"""Authentication and rate limit of every route that is not public."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import ANONYMOUS, Caller, current_caller
from gql_server.auth.client_network import network_of
from gql_server.auth.rate_limit import RateLimiter
from gql_server.http.tracked_send import TrackedSend
from gql_server.observability.request_record import request_record
from gql_server.runtime.fair_semaphore import current_client
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
        caller = await self._authenticate(scope)
        token = current_caller.set(caller)
        client_token = current_client.set(client_of(caller, scope))
        try:
            if caller.authorization is None:
                await self._app(scope, receive, send)
            else:
                await self._pass_through(scope, receive, send)
        finally:
            current_caller.reset(token)
            current_client.reset(client_token)

    async def _authenticate(self, scope: Scope) -> Caller:
        caller = await self._authenticator.authenticate(Headers(raw=scope["headers"]))
        request_record(scope).set_caller(caller.name)
        if self._rate_limiter is not None:
            await self._rate_limiter.count(caller, address_of(scope))
        return caller

    async def _pass_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracked_send = TrackedSend(send)
        try:
            await self._app(scope, receive, tracked_send)
        except Unauthenticated:
            if tracked_send.started:
                raise
            await self._authenticator.reject()


def client_of(caller: Caller, scope: Scope) -> str:
    """Return for whom the work of a request counts: an unverified name is only a claim."""
    if caller is ANONYMOUS or not caller.verified:
        return network_of(address_of(scope))
    return caller.principal or caller.name


def address_of(scope: Scope) -> str:
    """Return the address of a request's client; an empty string if it is unknown."""
    client = scope.get("client")
    return client[0] if client else ""
