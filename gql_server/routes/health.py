"""`/healthz` and `/readyz`: whether the process lives, and whether its store answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gql_server.observability.cache_stats import CacheStats
from gql_server.runtime.shutdown import Shutdown
from schema.ports.errors import PublicError
from schema.ports.tracking import Tracking

_PATIENCE = 5.0
"""Seconds that a probe waits for the store: less than the ten that orchestrators give it."""


def healthz(counts: CacheStats) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that says that the process lives, and how often its cache had what was asked."""

    async def endpoint(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "cache": asdict(counts)})

    return endpoint


def readyz(tracking: Tracking, stopping: Shutdown) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that says whether the store answers: 200, or 503 with the reason."""

    async def endpoint(_request: Request) -> Response:
        if stopping.started:
            return _not_ready("The server is stopping.")
        try:
            async with asyncio.timeout(_PATIENCE):
                await tracking.ready()
        except PublicError as fault:
            return _not_ready(str(fault))
        except TimeoutError:
            return _not_ready("The store does not answer in time.")
        return JSONResponse({"status": "ready"})

    return endpoint


def _not_ready(reason: str) -> Response:
    return JSONResponse({"status": "not ready", "reason": reason}, status_code=503)
