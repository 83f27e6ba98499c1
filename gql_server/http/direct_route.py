"""A shorter way to the route of nearly all requests."""

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class DirectRouteMiddleware:
    """Middleware that passes requests for one route to it, and others to Starlette's router.

    The router compares a path with the routes one after the other, behind middleware for exceptions that
    this route does not raise. It is innermost, so that all requests pass the same middleware before.
    """

    def __init__(self, app: ASGIApp, *, route: BaseRoute) -> None:
        self._app = app
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        match, matched = self._route.matches(scope)
        if match is Match.NONE:
            await self._app(scope, receive, send)
        else:
            scope.update(matched)
            await self._route.handle(scope, receive, send)
