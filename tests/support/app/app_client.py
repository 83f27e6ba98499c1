"""An HTTP client of an application over any `Tracking` port."""

from typing import Any

import httpx

from gql_server.app import create_app
from gql_server.config.settings import Settings
from schema.ports.tracking import Tracking


def app_client(tracking: Tracking, **settings: Any) -> httpx.AsyncClient:
    """Return a client of an application over a store, with these settings."""
    app = create_app(Settings(**{"tracking_uri": "unused:", **settings}), tracking)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
