"""Subscriptions by event streams of an application that uvicorn serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.servers.served_app import served_app


@contextmanager
def served_client(uri: str, **settings: Any) -> Iterator[httpx.Client]:
    """Yield a client of an application over the store at a tracking URI, with these settings."""
    app = create_app(Settings(tracking_uri=uri, **settings))
    with (
        served_app(app) as (host, port),
        httpx.Client(base_url=f"http://{host}:{port}", timeout=60) as client,
    ):
        yield client


@contextmanager
def events_of(client: httpx.Client, query: str, **variables: object) -> Iterator[Iterator[Any]]:
    """Yield the results of a subscription."""
    body = {"query": query, "variables": variables}
    with client.stream("POST", "/graphql", json=body, headers={"accept": "text/event-stream"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream"), response.read()
        yield (
            orjson.loads(line.removeprefix("data: "))
            for line in response.iter_lines()
            if line.startswith("data: ")
        )
