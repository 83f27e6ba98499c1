"""Files and tables are for whoever may ask the graph: the same door stands before them."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.auth.caller import Caller, current
from gql_server.auth.door import Door
from gql_server.http.crossing import crosses
from gql_server.http.errors import FORBIDDEN
from gql_server.http.rates import Rates
from gql_server.http.refusal import Refusal
from gql_server.http.replies import errors_reply
from gql_server.seeing.note import note_of
from schema.errors import Unauthenticated

_READING = {"GET", "HEAD", "OPTIONS"}
_GUARDED = ("/artifacts", "/model-artifacts", "/tables")


def guarded(scope: Scope) -> str | None:
    """Return which of the guarded routes a request is for; None where it is for none of them."""
    path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
    return next((route for route in _GUARDED if path.startswith(f"{route}/")), None)


class Guard:
    """Middleware before the paths beside `/graphql` that give or take what is in the store."""

    def __init__(self, app: ASGIApp, door: Door, rates: Rates | None, origins: tuple[str, ...]) -> None:
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
        except Refusal as refusal:
            note_of(scope).codes = refusal.codes
            status = refusal.status or HTTPStatus.BAD_REQUEST
            await errors_reply(status, refusal.errors, **refusal.headers)(scope, receive, send)

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
            raise Refusal.plain(why, FORBIDDEN, HTTPStatus.FORBIDDEN)
        caller = await self._door.let_in(request.headers)
        note_of(request.scope).named(caller.name)
        if self._rates is not None:
            await self._rates.count(caller, request.client.host if request.client else "")
        if request.method not in _READING and not caller.may_write:
            text = "These credentials are for reading alone."
            raise Refusal.plain(text, FORBIDDEN, HTTPStatus.FORBIDDEN)
        return caller
