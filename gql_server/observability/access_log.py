"""One line of JSON for each request of the graph, tables and files, its span, and metrics of the graph."""

import logging
import sys
import time
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gql_server.auth.middleware import guarded
from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import RequestRecord, begin
from gql_server.observability.tracing import span

_GRAPH = "/graphql"

log = logging.getLogger("gql_server.access")


class AccessLogMiddleware:
    """Middleware that says of each request what was asked, how long it took and what came of it.

    Of the address only the route is said, since over GET it holds the variables.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at what comes back."""
        route = _route(scope)
        if route is None:
            await self._app(scope, receive, send)
            return
        note, start = begin(scope), time.perf_counter()
        status, size = 0, 0

        async def seen(message: Message) -> None:
            nonlocal status, size
            status = message.get("status", status)
            size += len(message.get("body", b""))
            await send(message)

        try:
            with span(route[1:]) as current:
                await self._app(scope, receive, seen)
                if route == _GRAPH and current.is_recording():
                    current.update_name(f"graphql {note.operation}".strip())
                    current.set_attributes(_attributes(note, status))
        finally:
            seconds = time.perf_counter() - start
            if route == _GRAPH:
                self._metrics.answered(note, status, seconds)
            if log.isEnabledFor(logging.INFO):
                log.info("%s", _line(route, scope, note, status, size, seconds))


def _route(scope: Scope) -> str | None:
    if scope["type"] != "http":
        return None
    return guarded(scope) or (_GRAPH if scope["path"].endswith(_GRAPH) else None)


def log_to_stderr() -> None:
    """Write the lines as they are, one JSON object each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.propagate = False
    log.setLevel(logging.INFO)


def _attributes(note: RequestRecord, status: int) -> dict[str, Any]:
    return {
        "graphql.operation.name": note.operation,
        "graphql.operation.type": note.kind,
        "graphql.document.hash": note.document,
        "http.response.status_code": status,
        "gql.cached": note.cached,
        "gql.cost": note.cost or 0,
        "gql.codes": list(note.codes),
    }


def _line(route: str, scope: Scope, note: RequestRecord, status: int, size: int, seconds: float) -> str:
    return orjson.dumps(
        {
            "time": time.time(),
            "route": route,
            "method": scope["method"],
            "status": status,
            "operation": note.operation,
            "document": note.document,
            "caller": note.caller,
            "milliseconds": round(seconds * 1000, 2),
            "bytes": size,
            "cost": note.cost,
            "cached": note.cached,
            "codes": note.codes,
        },
        default=str,
    ).decode()
