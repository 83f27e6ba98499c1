"""An application over a store in memory, and an in-process client."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.clock import Clock
from tests.support.schema.memory_tracking import MemoryTracking, Record


@pytest.fixture
def tracking() -> MemoryTracking:
    """Return a store with one experiment and no runs."""
    experiment: Record = {
        "experiment_id": "1",
        "name": "one",
        "artifact_location": None,
        "lifecycle_stage": "ACTIVE",
        "created_at": 0,
        "updated_at": None,
        "tags": [],
        "runs": [],
    }
    return MemoryTracking([experiment])


@pytest.fixture
def settings() -> Settings:
    """Return settings with low limits, which small requests reach."""
    return Settings(tracking_uri="unused:", max_body_bytes=10_000, max_tokens=400, max_errors=3)


@pytest.fixture
async def client(tracking: MemoryTracking, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the application."""
    transport = httpx.ASGITransport(create_app(settings, tracking))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    """Return a clock that the test sets."""
    return Clock()
