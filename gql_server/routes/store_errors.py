"""The errors of the stores' libraries that a route of files raises."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.http.request_error import RequestError
from gql_server.stores.errors import public_error_from


class StoreErrorMiddleware:
    """Middleware that raises the public form of an exception of a store's library.

    It is behind `AuthenticationMiddleware`, which responds to `Unauthenticated` if the store rejected the
    caller's own credentials. `ErrorMiddleware` responds to the other exceptions.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and convert an exception."""
        try:
            await self._app(scope, receive, send)
        except (RequestError, ClientDisconnect):
            raise
        except Exception as error:
            public_error = public_error_from(error)
            if public_error is None or public_error is error:
                raise
            raise public_error from error
