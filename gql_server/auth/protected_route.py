"""A route whose middleware runs before its methods are checked."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import URLPath
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override


class ProtectedRoute(BaseRoute):
    """A route behind middleware, the outermost first.

    The middleware that Starlette's own `Route` takes runs after the check of the method, so that a request
    without credentials would get 405 instead of 401.
    """

    def __init__(self, route: Route, middleware: Sequence[Middleware]) -> None:
        self.route = route
        app: ASGIApp = route.handle
        for cls, args, kwargs in reversed(middleware):
            app = cls(app, *args, **kwargs)
        self._app = app

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return self.route.matches(scope)

    @override
    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        return self.route.url_path_for(name, **path_params)

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
