"""A GraphQL client of an application over the store at a tracking URI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from gql_server.app import create_app
from gql_server.config.settings import Settings


@dataclass
class GraphQLClient:
    """A client of one application; `http` sends any request."""

    http: httpx.AsyncClient

    async def response(self, query: str, **variables: object) -> httpx.Response:
        """Return the HTTP response to a query."""
        headers = {"accept": "application/graphql-response+json"}
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=headers)

    async def data(self, query: str, **variables: object) -> Any:
        """Return the data of a response without errors."""
        result = (await self.response(query, **variables)).json()
        assert "errors" not in result, result["errors"]
        return result["data"]

    async def error(self, query: str, **variables: object) -> dict[str, Any]:
        """Return the only error of a response."""
        result = (await self.response(query, **variables)).json()
        (error,) = result["errors"]
        assert isinstance(error, dict)
        return error


@asynccontextmanager
async def graphql_client(uri: str, **settings: Any) -> AsyncIterator[GraphQLClient]:
    """Yield a client of an application over the store at a tracking URI, with these settings."""
    app = create_app(Settings(tracking_uri=uri, **settings))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client,
    ):
        yield GraphQLClient(client)
