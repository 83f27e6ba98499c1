"""A shorter way to the route of nearly all requests."""

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Receive, Scope, Send


class DirectRouteMiddleware:
    """Middleware that passes requests for one exact path to its route, and others to Starlette's router.

    The router compares a path with the routes one after the other, behind middleware for exceptions that
    this route does not raise. It is innermost, so that all requests pass the same middleware before.
    """

    def __init__(self, app: ASGIApp, *, path: str, route: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and get_route_path(scope) == self._path:
            await self._route(scope, receive, send)
        else:
            await self._app(scope, receive, send)
