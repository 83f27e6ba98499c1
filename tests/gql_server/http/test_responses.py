"""What browsers, proxies and caches are told."""

import gzip
import json
from typing import Any

import httpx
import pytest
from backports import zstd

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.memory_tracking import MemoryTracking

NAME = "{ experiment(experimentId: 1) { name } }"
LONG = "{ " + " ".join(f"a{number}: __typename" for number in range(49)) + " __schema { types { name } } }"
SITE = "https://app.example.org"


def client_of(tracking: MemoryTracking, **settings: Any) -> httpx.AsyncClient:
    """Return a client of an application with these settings."""
    app = create_app(Settings(tracking_uri="unused:", **settings), tracking)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    """HEAD has the status and headers of GET, its length among them, and no body."""
    for parameters in ({"query": NAME}, {"query": "{"}, {}):
        get = await client.get("/graphql", params=parameters)
        head = await client.head("/graphql", params=parameters)
        assert head.status_code == get.status_code
        assert head.content == b""
        own = {"age"}
        assert {k: v for k, v in head.headers.items() if k not in own} == {
            k: v for k, v in get.headers.items() if k not in own
        }


async def test_options_names_the_methods(client: httpx.AsyncClient) -> None:
    """OPTIONS is answered with the methods, and another method with 405, the methods and a coded error."""
    options = await client.options("/graphql")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"):
        response = await client.request(method, "/graphql")
        assert response.status_code == 405
        assert response.headers["allow"] == options.headers["allow"]
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "said"),
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
async def test_what_no_route_takes_is_told_in_json(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str, said: str
) -> None:
    """An address where nothing is, and a method that it does not take, are errors like all others."""
    response = await client.request(method, path)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (status, code)
    assert said in error["message"]
    assert (said in response.headers.get("allow", "")) is (status == 405)


async def test_no_site_is_let_in_by_default(client: httpx.AsyncClient) -> None:
    """Without a list of origins a preflight gets no permission, and an answer names no origin."""
    asking = {"origin": SITE, "access-control-request-method": "POST"}
    for response in (
        await client.options("/graphql", headers=asking),
        await client.post("/graphql", json={"query": NAME}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def test_a_listed_site_is_let_in(tracking: MemoryTracking) -> None:
    """A listed origin gets its preflight and may read answers; another gets neither."""
    async with client_of(tracking, allowed_origins=f"{SITE}, https://other.example") as client:
        wanted = "content-type, authorization, apollo-require-preflight"
        for origin, allowed in ((SITE, True), ("https://evil.example", False)):
            asking = {
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": wanted,
            }
            preflight = await client.options("/graphql", headers=asking)
            assert (preflight.headers.get("access-control-allow-origin") == origin) is allowed
            headers = {"origin": origin, "sec-fetch-site": "cross-site"}
            answer = await client.post("/graphql", json={"query": NAME}, headers=headers)
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
            assert answer.status_code == (200 if allowed else 403)
            assert answer.headers.get("access-control-allow-credentials") is None


@pytest.mark.parametrize("writable", [False, True])
async def test_a_listed_site_may_upload_where_anybody_may(
    tracking: MemoryTracking, *, writable: bool
) -> None:
    """Its preflight for an upload is granted where the server takes uploads."""
    async with client_of(tracking, allowed_origins=SITE, writable=writable) as client:
        asking = {"origin": SITE, "access-control-request-method": "PUT"}
        preflight = await client.options("/artifacts/1/a.txt", headers=asking)
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
    ("accepted", "given"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("br", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=0.2, identity", None),
    ],
)
async def test_long_answers_are_compressed(
    client: httpx.AsyncClient, accepted: str, given: str | None
) -> None:
    """A long answer comes in the encoding that the client prefers, if it takes any; a short one plain."""
    plain = await client.post("/graphql", json={"query": LONG}, headers={"accept-encoding": "identity"})
    async with client.stream(
        "POST", "/graphql", json={"query": LONG}, headers={"accept-encoding": accepted}
    ) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers.get("content-encoding") == given
    assert int(response.headers["content-length"]) == len(raw)
    assert "Accept-Encoding" in response.headers["vary"]
    assert decoded(raw, given) == plain.content
    short = await client.post("/graphql", json={"query": NAME}, headers={"accept-encoding": accepted})
    assert "content-encoding" not in short.headers


async def test_a_get_is_asked_about_again(client: httpx.AsyncClient, tracking: MemoryTracking) -> None:
    """An answer over GET may be kept by its client alone, and is not sent again while it is the same."""
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


async def test_a_post_and_an_error_are_not_kept(client: httpx.AsyncClient) -> None:
    """An answer to a POST has no tag, and a refusal is for nobody to keep."""
    posted = await client.post("/graphql", json={"query": NAME})
    assert "etag" not in posted.headers
    refused = await client.get("/graphql", params={"query": ""})
    assert refused.headers["cache-control"] == "no-store"
    assert "etag" not in refused.headers


async def test_nothing_is_guessed_from_a_body(client: httpx.AsyncClient) -> None:
    """Each answer tells browsers not to take it for anything but JSON."""
    for body in ({"query": NAME}, {"query": "{"}, {}):
        response = await client.post("/graphql", json=body)
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "nonsense"}, 200),
        ({"sec-fetch-site": "cross-site", "apollo-require-preflight": "1"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "http://test"}, 200),
        ({"origin": "http://test"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
    ],
)
async def test_other_sites_run_nothing(
    client: httpx.AsyncClient, tracking: MemoryTracking, headers: dict[str, str], status: int
) -> None:
    """What a page of another site makes a browser send runs nothing, by GET or by POST."""
    get = await client.get("/graphql", params={"query": NAME}, headers=headers)
    post = await client.post("/graphql", json={"query": NAME}, headers=headers)
    assert (get.status_code, post.status_code) == (status, status)
    assert bool(tracking.calls) is (status == 200)


async def test_a_get_may_have_to_ask(tracking: MemoryTracking) -> None:
    """Where the operator wants it, a GET runs only with a header that other sites must ask for."""
    async with client_of(tracking, get_needs_header=True) as client:
        assert (await client.get("/graphql", params={"query": NAME})).status_code == 403
        for name in ("apollo-require-preflight", "x-apollo-operation-name", "graphql-require-preflight"):
            response = await client.get("/graphql", params={"query": NAME}, headers={name: "a"})
            assert response.status_code == 200
        assert (await client.post("/graphql", json={"query": NAME})).status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("query=%7B+server+%7B+version+%7D+%7D", "application/x-www-form-urlencoded"),
        (json.dumps({"query": NAME}), "text/plain"),
        (json.dumps({"query": NAME}), "text/plain; application/json"),
        ("--a\r\n\r\n{a}\r\n--a--", "multipart/form-data; boundary=a"),
        (NAME, "application/graphql"),
    ],
)  # fmt: skip
async def test_no_form_runs_anything(
    client: httpx.AsyncClient, tracking: MemoryTracking, content: str, content_type: str
) -> None:
    """A body that a form can send is not taken, so that no page sends one without asking."""
    response = await client.post("/graphql", content=content, headers={"content-type": content_type})
    assert response.status_code == 415
    assert not tracking.calls
