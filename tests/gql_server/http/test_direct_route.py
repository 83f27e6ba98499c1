"""Tests of the direct way to one route."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from gql_server.http.direct_route import DirectRouteMiddleware

DIRECT, ROUTED = PlainTextResponse("direct"), PlainTextResponse("routed")
APP = Starlette(
    routes=[Route("/graphql", ROUTED), Route("/graphql/other", ROUTED), Mount("/below", ROUTED)],
    middleware=[Middleware(DirectRouteMiddleware, route=Route("/graphql", DIRECT))],
)


@pytest.mark.parametrize(
    ("root_path", "path", "text"),
    [
        ("", "/graphql", "direct"),
        ("", "/graphql?query=a", "direct"),
        ("/prefix", "/graphql", "direct"),
        ("", "/graphql/other", "routed"),
        ("", "/below/graphql", "routed"),
        ("", "/graphqlx", "Not Found"),
    ],
)
async def test_only_the_exact_path_is_direct(root_path: str, path: str, text: str) -> None:
    """The exact path, below the root path of the application, is passed on directly; others are routed."""
    app = Starlette(routes=[Mount(root_path, APP)]) if root_path else APP
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as client:
        response = await client.get(f"{root_path}{path}")
    assert response.text == text
