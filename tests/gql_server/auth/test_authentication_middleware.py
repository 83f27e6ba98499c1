"""Tests of the middleware that protects routes."""

from collections.abc import Callable
from pathlib import Path

import httpx
from starlette.routing import Mount, Route, WebSocketRoute

from gql_server.app import create_app
from gql_server.auth.api_keys import new_key
from gql_server.auth.protected_route import ProtectedRoute
from gql_server.config.settings import Settings
from gql_server.routes.graphql_socket import GraphQLSocketEndpoint
from tests.support.schema.memory_tracking import MemoryTracking

PATHS = ("/tables/runs.csv", "/artifacts/" + "0" * 32 + "/a.txt", "/model-artifacts/m-1/a.txt")
PUBLIC = {"/", "/healthz", "/readyz", "/graphiql"}


def test_every_route_is_protected_unless_it_is_public() -> None:
    """A route without authentication is one of a fixed list."""
    app = create_app(Settings(tracking_uri="unused:", writable=True, metrics=True), MemoryTracking([]))
    unprotected = [route for route in app.routes if not isinstance(route, ProtectedRoute)]
    assert {route.path for route in unprotected if isinstance(route, Route | Mount)} == PUBLIC
    # It authenticates by `connection_init`: tests/gql_server/live/test_socket.py.
    (socket,) = (route for route in unprotected if isinstance(route, WebSocketRoute))
    assert isinstance(socket.endpoint, GraphQLSocketEndpoint)
    assert len(unprotected) == len(PUBLIC) + 1


async def test_files_and_tables_need_credentials(
    client_with: Callable[..., httpx.AsyncClient], tmp_path: Path
) -> None:
    """Tables, files and uploads respond with 401 without a key, and uploads with 403 to a read-only key."""
    key, line = new_key("reader", write=False)
    (tmp_path / "keys").write_text(line)
    async with client_with(auth="keys", api_keys_file=str(tmp_path / "keys")) as client:
        for path in PATHS:
            for method in ("GET", "HEAD", "PUT"):
                response = await client.request(method, path)
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"]
            known = {"x-api-key": key}
            assert (await client.put(path, content=b"a", headers=known)).status_code == 403
        assert (await client.get(PATHS[0], headers=known)).status_code == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_cross_site_uploads_are_refused(
    client_with: Callable[..., httpx.AsyncClient],
) -> None:
    """An upload that another site's page sends gets 403."""
    async with client_with() as client:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            assert (await client.put(PATHS[1], content=b"a", headers=headers)).status_code == 403


async def test_errors_of_every_route_have_the_same_headers(
    client_with: Callable[..., httpx.AsyncClient], tmp_path: Path
) -> None:
    """Every error is JSON that is not stored, varies by the caller, and whose type is not guessed."""
    _, line = new_key("reader", write=False)
    (tmp_path / "keys").write_text(line)
    async with client_with(auth="keys", api_keys_file=str(tmp_path / "keys"), metrics=True) as client:
        for path in ("/graphql", "/metrics", "/nothing", *PATHS):
            response = await client.get(path)
            assert response.status_code in {401, 404}
            assert response.json()["errors"][0]["extensions"]["code"] in {"UNAUTHENTICATED", "NOT_FOUND"}
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "Authorization" in response.headers["vary"]
