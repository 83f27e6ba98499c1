"""`/metrics`, for Prometheus."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gql_server.observability.metrics import Metrics


class MetricsEndpoint:
    """Responds to GET and HEAD with the metrics of the server.

    `verify_caller` raises `Unauthenticated` or `Forbidden` if the store rejects the caller's credentials. It
    is None if the authentication scheme has verified them.
    """

    def __init__(self, metrics: Metrics, verify_caller: Callable[[], Awaitable[None]] | None) -> None:
        self._metrics = metrics
        self._verify_caller = verify_caller

    def route(self) -> Route:
        """Return the route."""
        return Route("/metrics", self._respond, methods=["GET"])

    async def _respond(self, _request: Request) -> Response:
        if self._verify_caller is not None:
            await self._verify_caller()
        body, media_type = self._metrics.render()
        return Response(body, media_type=media_type)
