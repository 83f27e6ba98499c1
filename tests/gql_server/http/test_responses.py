"""Tests of the headers, the encoding and the errors of responses."""

import gzip

import httpx
import pytest
from backports import zstd

from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

NAME = "{ experiment(experimentId: 1) { name } }"
LONG = "{ " + " ".join(f"a{number}: __typename" for number in range(49)) + " __schema { types { name } } }"
SITE = "https://app.example.org"


async def test_head_has_the_headers_of_get(client: httpx.AsyncClient) -> None:
    """HEAD has the status and headers of GET, with its Content-Length, and no body."""
    for parameters in ({"query": NAME}, {"query": "{"}, {}):
        get = await client.get("/graphql", params=parameters)
        head = await client.head("/graphql", params=parameters)
        assert head.status_code == get.status_code
        assert head.content == b""
        get_only = {"age"}
        assert {k: v for k, v in head.headers.items() if k not in get_only} == {
            k: v for k, v in get.headers.items() if k not in get_only
        }


async def test_options_lists_the_methods(client: httpx.AsyncClient) -> None:
    """OPTIONS responds with the methods, and another method gets 405 with the methods and a code."""
    options = await client.options("/graphql")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"):
        response = await client.request(method, "/graphql")
        assert response.status_code == 405
        assert response.headers["allow"] == options.headers["allow"]
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "expected"),
    [
        ("GET", "/v1/graphql", 404, "NOT_FOUND", "/graphql"),
        ("POST", "/graphql/x", 404, "NOT_FOUND", "/graphql"),
        ("GET", "/tables", 404, "NOT_FOUND", "/tables/runs.csv"),
        ("GET", "/graphiql/none.js", 404, "NOT_FOUND", "/graphql"),
        ("POST", "/", 405, "BAD_USER_INPUT", "GET"),
        ("DELETE", "/tables/runs.csv", 405, "BAD_USER_INPUT", "GET"),
        ("POST", "/graphiql/index.js", 405, "BAD_USER_INPUT", "GET"),
    ],
)
async def test_unknown_path_or_method_is_a_json_error(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str, expected: str
) -> None:
    """An unknown path gets 404 and an unknown method 405, as a JSON error with a code."""
    response = await client.request(method, path)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code)
    assert expected in error["message"]
    assert (expected in response.headers.get("allow", "")) is (status == 405)


async def test_cors_is_off_by_default(client: httpx.AsyncClient) -> None:
    """Without a list of origins, preflights and responses have no CORS headers."""
    request_headers = {"origin": SITE, "access-control-request-method": "POST"}
    for response in (
        await client.options("/graphql", headers=request_headers),
        await client.post("/graphql", json={"query": NAME}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_cors_allows_listed_origins_only(tracking: MemoryTracking) -> None:
    """A listed origin gets its preflight and may read responses; another gets neither."""
    async with app_client(tracking, allowed_origins=f"{SITE}, https://other.example") as client:
        requested_headers = "content-type, authorization, apollo-require-preflight"
        for origin, allowed in ((SITE, True), ("https://evil.example", False)):
            request_headers = {
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": requested_headers,
            }
            preflight = await client.options("/graphql", headers=request_headers)
            assert (preflight.headers.get("access-control-allow-origin") == origin) is allowed
            headers = {"origin": origin, "sec-fetch-site": "cross-site"}
            response = await client.post("/graphql", json={"query": NAME}, headers=headers)
            assert (response.headers.get("access-control-allow-origin") == origin) is allowed
            assert response.status_code == (200 if allowed else 403)
            assert response.headers.get("access-control-allow-credentials") is None


@pytest.mark.parametrize("origins", [SITE, "*"])
@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        ("/graphql", "POST", "apollographql-client-name,apollographql-client-version,content-type"),
        ("/graphql", "POST", "baggage,content-type,sentry-trace"),
        ("/graphql", "POST", "content-type,traceparent,tracestate"),
        ("/graphql", "GET", "x-requested-with"),
        ("/tables/runs.parquet", "GET", "range"),
        ("/tables/runs.parquet", "HEAD", "range,x-api-key"),
        ("/graphql", "POST", "X-Anything, authorization"),
    ],
)
async def test_cors_allows_the_headers_that_a_preflight_names(
    tracking: MemoryTracking, origins: str, path: str, method: str, names: str
) -> None:
    """A page of a listed origin may send any header: of tracing, of client libraries, and suffix ranges."""
    async with app_client(tracking, allowed_origins=origins) as client:
        requested = {"access-control-request-method": method, "access-control-request-headers": names}
        preflight = await client.options(path, headers={"origin": SITE} | requested)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-headers"] == names
        assert method in preflight.headers["access-control-allow-methods"]
        assert "Access-Control-Request-Headers" in preflight.headers["vary"]
        foreign = await client.options(path, headers={"origin": "https://evil.example"} | requested)
        is_allowed = foreign.headers.get("access-control-allow-origin") is not None
        assert is_allowed is (origins == "*")


async def test_cors_allows_a_server_in_a_private_network(tracking: MemoryTracking) -> None:
    """A browser asks whether a listed public page may reach a server on this machine or in this network."""
    private = {"access-control-request-method": "POST", "access-control-request-private-network": "true"}
    async with app_client(tracking, allowed_origins=SITE) as client:
        preflight = await client.options("/graphql", headers={"origin": SITE} | private)
        assert (preflight.status_code, preflight.headers["access-control-allow-private-network"]) == (
            200,
            "true",
        )
        foreign = await client.options("/graphql", headers={"origin": "https://evil.example"} | private)
        assert foreign.headers.get("access-control-allow-origin") is None


async def test_cors_exposes_the_headers_of_files(tracking: MemoryTracking) -> None:
    """A page may read the headers that readers of files need."""
    async with app_client(tracking, allowed_origins=SITE) as client:
        response = await client.get("/tables/runs.csv", headers={"origin": SITE})
    exposed = response.headers["access-control-expose-headers"].split(", ")
    assert {"accept-ranges", "content-disposition", "content-range", "etag"} <= set(exposed)


@pytest.mark.parametrize("writable", [False, True])
async def test_cors_allows_uploads_to_a_writable_server(tracking: MemoryTracking, *, writable: bool) -> None:
    """A preflight for an upload succeeds if the server is writable."""
    async with app_client(tracking, allowed_origins=SITE, writable=writable) as client:
        request_headers = {"origin": SITE, "access-control-request-method": "PUT"}
        preflight = await client.options("/artifacts/1/a.txt", headers=request_headers)
    assert (preflight.status_code == 200) is writable


def decoded(raw: bytes, encoding: str | None) -> bytes:
    """Undo an encoding."""
    match encoding:
        case "gzip":
            return gzip.decompress(raw)
        case "zstd":
            return zstd.decompress(raw)
    return raw


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("br, gzip, deflate, zstd", "gzip"),
        ("zstd, gzip", "gzip"),
        ("zstd;q=1.0, gzip;q=0.9", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "gzip"),
        ("*, gzip;q=0", "zstd"),
        ("br", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=0.2, identity", None),
    ],
)
async def test_long_responses_are_compressed(
    client: httpx.AsyncClient, accepted: str, expected: str | None
) -> None:
    """A long response has the encoding that the client prefers; a short one is not compressed."""
    plain = await client.post("/graphql", json={"query": LONG}, headers={"accept-encoding": "identity"})
    async with client.stream(
        "POST", "/graphql", json={"query": LONG}, headers={"accept-encoding": accepted}
    ) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers.get("content-encoding") == expected
    assert int(response.headers["content-length"]) == len(raw)
    assert "Accept-Encoding" in response.headers["vary"]
    assert decoded(raw, expected) == plain.content
    short = await client.post("/graphql", json={"query": NAME}, headers={"accept-encoding": accepted})
    assert "content-encoding" not in short.headers


async def test_get_response_is_revalidated(client: httpx.AsyncClient, tracking: MemoryTracking) -> None:
    """A response to GET is private and has an ETag; with the same ETag the client gets 304."""
    first = await client.get("/graphql", params={"query": NAME})
    assert first.headers["cache-control"] == "private, no-cache"
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', "*"):
        again = await client.get("/graphql", params={"query": NAME}, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    tracking.stored[0]["name"] = "changed"
    headers = {"if-none-match": tag, "cache-control": "no-cache"}
    changed = await client.get("/graphql", params={"query": NAME}, headers=headers)
    assert changed.json() == {"data": {"experiment": {"name": "changed"}}}
    assert changed.headers["etag"] != tag


async def test_post_response_and_error_are_not_stored(client: httpx.AsyncClient) -> None:
    """A response to POST has no ETag, and an error has no-store."""
    posted = await client.post("/graphql", json={"query": NAME})
    assert "etag" not in posted.headers
    refused = await client.get("/graphql", params={"query": ""})
    assert refused.headers["cache-control"] == "no-store"
    assert "etag" not in refused.headers


async def test_responses_forbid_content_sniffing(client: httpx.AsyncClient) -> None:
    """Every response has nosniff, so that browsers treat it as JSON only."""
    for body in ({"query": NAME}, {"query": "{"}, {}):
        response = await client.post("/graphql", json=body)
        assert response.headers["x-content-type-options"] == "nosniff"
