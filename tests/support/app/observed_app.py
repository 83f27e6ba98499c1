"""An application with metrics over a store in memory, and requests with secrets in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.schema.memory_tracking import MemoryTracking

QUERY = "query Named($name: String!) { experiment(name: $name) { name } }"
SECRET = "hunter2-in-a-variable"
TOKEN = "hunter2-in-a-token"


@asynccontextmanager
async def observed_client(tracking: MemoryTracking, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of an application over a store."""
    defaults = {"tracking_uri": "unused:", "metrics": True, "cache_running_seconds": 600}
    app = create_app(Settings(**(defaults | settings)), tracking)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        yield client
