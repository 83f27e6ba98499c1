"""The access log: one line of JSON for each request, which is also traced and counted."""

import logging
import sys
import time
from collections.abc import Collection
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import RequestRecord, request_record
from gql_server.observability.tracing import span

_GRAPH = "/graphql"

_log = logging.getLogger("gql_server.access")


class AccessLogMiddleware:
    """Middleware that logs and traces requests for the graph, tables and artifacts, and counts the graph's.

    `routes` are the paths of the routes to log; paths below them are logged under the route as well. The log
    contains the route in place of the URL, since the URL of a GET request contains its variables.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and observe its response."""
        route = self._route(scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        record, start = request_record(scope), time.perf_counter()
        status, size = 0, 0

        async def observe(message: Message) -> None:
            nonlocal status, size
            status = message.get("status", status)
            size += len(message.get("body", b""))
            await send(message)

        try:
            with span(route[1:]) as current:
                await self._app(scope, receive, observe)
                if route == _GRAPH and current.is_recording():
                    current.update_name(f"graphql {record.operation}".strip())
                    current.set_attributes(_attributes(record, status))
        finally:
            seconds = time.perf_counter() - start
            if route == _GRAPH:
                self._metrics.observe_response(record, status, seconds)
            if _log.isEnabledFor(logging.INFO):
                _log.info("%s", _line(route, scope, record, status, size, seconds))

    def _route(self, scope: Scope) -> str | None:
        if scope["type"] != "http":
            return None
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return next((route for route in self._routes if path == route or path.startswith(f"{route}/")), None)


def log_to_stderr() -> None:
    """Write the lines to stderr without a prefix, so that each is one JSON object."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _log.handlers[:] = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)


def _attributes(record: RequestRecord, status: int) -> dict[str, Any]:
    return {
        "graphql.operation.name": record.operation,
        "graphql.operation.type": record.kind,
        "graphql.document.hash": record.document,
        "http.response.status_code": status,
        "gql.cached": record.cached,
        "gql.cost": record.cost or 0,
        "gql.codes": list(record.codes),
    }


def _line(route: str, scope: Scope, record: RequestRecord, status: int, size: int, seconds: float) -> str:
    return orjson.dumps(
        {
            "time": time.time(),
            "route": route,
            "method": scope["method"],
            "status": status,
            "operation": record.operation,
            "document": record.document,
            "caller": record.caller,
            "milliseconds": round(seconds * 1000, 2),
            "bytes": size,
            "cost": record.cost,
            "cached": record.cached,
            "codes": record.codes,
        },
        default=str,
    ).decode()
