"""Tests of the GraphiQL page and its files over HTTP."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from backports import zstd
from starlette.applications import Starlette
from starlette.routing import Mount

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.http.graphiql.page import BUILT, page
from gql_server.http.graphiql.static_files import GraphiQLFiles
from tests.support.stores.store import Store

_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def client(sqlite_store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application over a SQLite store."""
    app = create_app(Settings(tracking_uri=sqlite_store.uri))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


async def test_page_has_a_strict_content_security_policy(client: httpx.AsyncClient) -> None:
    """The page loads nothing from other sites, runs no inline script, and cannot be framed."""
    response = await client.get("/graphql", headers=_BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert not re.search(r"https?:|\*|unsafe-eval", policy)
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_page_refers_to_hashed_relative_files(client: httpx.AsyncClient) -> None:
    """Each file that the page refers to has a relative URL with a hash, exists, and is cached for a year."""
    html = (await client.get("/graphql", headers=_BROWSER)).text
    names = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert any(name.endswith(".js") for name in names)
    assert any(name.endswith(".css") for name in names)
    for name in names:
        assert name.startswith("./graphiql/")
        response = await client.get(f"/{name[2:]}")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert re.search(r"-[\w-]{8}\.\w+$", name), "the name has no hash of the contents"


async def test_built_files_have_their_media_types(client: httpx.AsyncClient) -> None:
    """All scripts, styles and fonts have the media type that browsers require with nosniff."""
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
    files = sorted((BUILT / "graphiql").iterdir())
    assert {file.suffix for file in files} == set(types)
    for file in files:
        response = await client.get(f"/graphiql/{file.name}")
        assert response.headers["content-type"].split(";")[0] == types[file.suffix]
        assert response.content == file.read_bytes()


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
async def test_files_are_compressed_by_accept_encoding(client: httpx.AsyncClient, encoding: str) -> None:
    """A browser gets a script compressed, and 304 with its ETag; other clients get it uncompressed."""
    file = max((BUILT / "graphiql").iterdir(), key=lambda file: file.stat().st_size)
    accepting = {"accept-encoding": encoding}
    response = await client.get(f"/graphiql/{file.name}", headers=accepting)
    content = zstd.decompress(response.content) if encoding == "zstd" else response.content
    assert content == file.read_bytes()
    assert response.headers["content-encoding"] == encoding
    assert int(response.headers["content-length"]) < file.stat().st_size / 3
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in response.headers["cache-control"]
    cached = accepting | {"if-none-match": response.headers["etag"]}
    assert (await client.get(f"/graphiql/{file.name}", headers=cached)).status_code == 304
    head = await client.head(f"/graphiql/{file.name}", headers=accepting)
    assert head.headers == response.headers
    plain = await client.get(f"/graphiql/{file.name}", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == response.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("path", ["nothing.js", "../page.py", "%2e%2e/index.html", ""])
async def test_other_files_are_not_found(client: httpx.AsyncClient, path: str) -> None:
    """A file outside the page's directory, and the directory itself, get 404."""
    response = await client.get(f"/graphiql/{path}")
    assert response.status_code == 404
    assert "immutable" not in response.headers.get("cache-control", "")


async def test_browser_gets_the_page_for_a_url_with_a_query(client: httpx.AsyncClient) -> None:
    """A browser that opens a URL with a query gets the page; another client gets the result."""
    query = {"query": "{ server { store } }"}
    assert "<!doctype html>" in (await client.get("/graphql", params=query, headers=_BROWSER)).text
    assert (await client.get("/graphql", params=query)).json() == {"data": {"server": {"store": "SQL"}}}


async def test_missing_page_is_explained(tmp_path: Path) -> None:
    """If the page was not built, a browser gets 404 with an explanation, and nothing from other sites."""
    response = page(tmp_path)
    assert response.status_code == 404
    text = bytes(response.body).decode()
    assert "GraphiQL is not part of this installation" in text
    assert "POST" in text
    assert not re.search(r"https?:", text)
    app = Starlette(routes=[Mount("/graphiql", GraphiQLFiles(tmp_path))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/graphiql/index.js")).status_code == 404


async def test_page_can_be_disabled(sqlite_store: Store) -> None:
    """With GQL_GRAPHIQL=false a browser gets the response of any other client."""
    app = create_app(Settings(tracking_uri=sqlite_store.uri, graphiql=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        response = await client.get("/graphql", headers=_BROWSER)
    assert response.status_code == 400
    assert response.json()["errors"]
