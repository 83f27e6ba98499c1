"""Tests of `/healthz` and `/readyz`."""

import asyncio

import pytest

from gql_server.routes import health
from schema.ports.errors import StoreUnavailable
from schema.ports.store_info import StoreFeature, StoreInfo
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking


async def test_readiness_follows_the_store() -> None:
    """Without its store, the server is alive but not ready, and reports the reason."""
    tracking = MemoryTracking([], store_info=StoreInfo("abc123", {StoreFeature.DATASETS}))
    async with app_client(tracking) as client:
        assert (await client.get("/readyz")).json() == {
            "status": "ready",
            "database_revision": "abc123",
            "features": ["DATASETS"],
        }
        tracking.failing["ready"] = StoreUnavailable("The store is down.")
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {"status": "not ready", "reason": "The store is down."}
        assert (await client.get("/healthz")).status_code == 200
        del tracking.failing["ready"]
        assert (await client.get("/readyz")).status_code == 200


async def test_store_that_does_not_respond_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not respond makes `/readyz` fail within its timeout."""
    monkeypatch.setattr(health, "_STORE_TIMEOUT", 0.05)
    tracking = MemoryTracking([])

    async def hang() -> None:
        await asyncio.Event().wait()

    tracking.ready = hang  # type: ignore[method-assign]
    async with app_client(tracking) as client:
        assert (await client.get("/readyz")).status_code == 503
