"""`/healthz` and `/readyz`, for orchestrators and load balancers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gql_server.http.error_entries import internal_error_entry
from gql_server.observability.cache_stats import CacheStats
from gql_server.runtime.shutdown import Shutdown
from schema.ports.errors import PublicError
from schema.ports.store_info import StoreFeature
from schema.ports.tracking import Tracking

_STORE_TIMEOUT: Final = 5.0
"""Seconds to wait for the store; orchestrators usually wait ten seconds for a probe."""


def healthz(stats: CacheStats) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that responds while the process runs, with the statistics of its cache."""

    async def endpoint(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "cache": asdict(stats)})

    return endpoint


def readyz(tracking: Tracking, shutdown: Shutdown) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that responds with 200 if the store responds, and else with 503 and the reason.

    The response names the revision of the store's database and the optional features that the store has.
    """

    async def endpoint(_request: Request) -> Response:
        if shutdown.started:
            return _not_ready("The server is stopping.")
        try:
            async with asyncio.timeout(_STORE_TIMEOUT):
                await tracking.ready()
                info = await tracking.info()
        except PublicError as error:
            return _not_ready(str(error))
        except TimeoutError:
            return _not_ready("The store does not respond in time.")
        except Exception as error:  # noqa: BLE001 - logged under an id; this route has no error middleware
            return _not_ready(internal_error_entry(error, "/readyz")["message"])
        features = [feature.name for feature in StoreFeature if feature in info.features]
        return JSONResponse(
            {"status": "ready", "database_revision": info.database_revision, "features": features}
        )

    return endpoint


def _not_ready(reason: str) -> Response:
    return JSONResponse({"status": "not ready", "reason": reason}, status_code=HTTPStatus.SERVICE_UNAVAILABLE)
