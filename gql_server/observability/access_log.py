"""The access log: one line of JSON for each request, which is also traced and counted."""

import logging
import sys
import time
from collections.abc import Collection
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import RequestRecord, request_record
from gql_server.observability.tracing import span

_GRAPH = "/graphql"
_ACCEPTED = 101
"""The status of a handshake that opens a WebSocket."""

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
        # Operations over a WebSocket are observed one by one: `OperationLog`.
        is_graph = route == _GRAPH and scope["type"] == "http"

        async def observe(message: Message) -> None:
            nonlocal status, size
            status = _ACCEPTED if message["type"] == "websocket.accept" else message.get("status", status)
            size += len(message.get("body") or message.get("text") or b"")
            await send(message)

        try:
            with span(route[1:]) as current:
                await self._app(scope, receive, observe)
                if is_graph and current.is_recording():
                    current.update_name(f"graphql {record.operation}".strip())
                    current.set_attributes(_attributes(record, status))
        finally:
            seconds = time.perf_counter() - start
            if is_graph:
                self._metrics.observe_response(record, status, seconds)
            if _log.isEnabledFor(logging.INFO):
                _write(_line(route, scope, record, status, size, seconds))

    def _route(self, scope: Scope) -> str | None:
        if scope["type"] not in {"http", "websocket"}:
            return None
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == _GRAPH:
            return path
        return next((route for route in self._routes if path == route or path.startswith(f"{route}/")), None)


class OperationLog:
    """Logs and counts the operations over WebSockets, as the middleware does requests."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def observe(self, scope: Scope, record: RequestRecord, status: int, size: int, seconds: float) -> None:
        """Observe an operation that has ended; `size` is the number of bytes of its results."""
        self._metrics.observe_response(record, status, seconds)
        if _log.isEnabledFor(logging.INFO):
            _write(_line(_GRAPH, {**scope, "method": "SUBSCRIBE"}, record, status, size, seconds))


class _LineHandler(logging.Handler):
    """Writes lines of bytes to stderr."""

    def write(self, line: bytes) -> None:
        """Write a line; one that stderr does not accept is lost, as with all handlers of logging."""
        try:
            sys.stderr.buffer.write(line + b"\n")
            sys.stderr.buffer.flush()
        except (OSError, ValueError):
            pass

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.write(record.getMessage().encode())


def log_to_stderr() -> None:
    """Write the lines to stderr without a prefix, so that each is one JSON object."""
    _log.handlers[:] = [_LineHandler()]
    _log.propagate = False
    _log.setLevel(logging.INFO)


def _write(line: bytes) -> None:
    match _log.handlers:
        case [_LineHandler() as handler] if not _log.propagate:
            # A record of logging, with the place in the source, takes ten times as long as the line itself.
            handler.write(line)
        case _:
            _log.info("%s", line.decode())


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


def _line(route: str, scope: Scope, record: RequestRecord, status: int, size: int, seconds: float) -> bytes:
    return orjson.dumps(
        {
            "time": time.time(),
            "route": route,
            "method": scope.get("method", "CONNECT"),
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
    )
