"""An application over a store in memory, with whatever says who may ask."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.memory_tracking import MemoryTracking

QUERY = {"query": "{ experiments { nodes { name } } }"}


@asynccontextmanager
async def _client(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    given = {"tracking_uri": "unused:", "auth_failure_seconds": 0.01} | settings
    app = create_app(Settings(**given), MemoryTracking([]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.fixture
def client_with() -> Callable[..., Any]:
    """Give a way to a client of an application with some settings."""
    return _client
