"""Tests of the protection against cross-site request forgery."""

import json

import httpx
import pytest

from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

NAME = "{ experiment(experimentId: 1) { name } }"


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
async def test_cross_site_requests_are_refused(
    client: httpx.AsyncClient, tracking: MemoryTracking, headers: dict[str, str], status: int
) -> None:
    """A request that another site's page makes a browser send is not executed, by GET or by POST."""
    get = await client.get("/graphql", params={"query": NAME}, headers=headers)
    post = await client.post("/graphql", json={"query": NAME}, headers=headers)
    assert (get.status_code, post.status_code) == (status, status)
    assert bool(tracking.calls) is (status == 200)


async def test_get_can_require_a_preflight_header(tracking: MemoryTracking) -> None:
    """With GQL_GET_NEEDS_HEADER, a GET needs a header that other sites can send after a preflight only."""
    async with app_client(tracking, get_needs_header=True) as client:
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
async def test_forms_get_415(
    client: httpx.AsyncClient, tracking: MemoryTracking, content: str, content_type: str
) -> None:
    """A body that an HTML form can send gets 415, because a form needs no preflight."""
    response = await client.post("/graphql", content=content, headers={"content-type": content_type})
    assert response.status_code == 415
    assert not tracking.calls


@pytest.mark.parametrize(
    "headers",
    [
        [("origin", "http://test"), ("origin", "https://evil.example")],
        [("origin", "https://evil.example"), ("origin", "http://test")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "none")],
    ],
)
async def test_repeated_headers_do_not_hide_a_cross_site_request(
    client: httpx.AsyncClient, headers: list[tuple[str, str]]
) -> None:
    """A request is refused if one of two contradicting headers says that it is of another site."""
    assert (await client.post("/graphql", json={"query": NAME}, headers=headers)).status_code == 403


async def test_repeated_content_type_gets_415(client: httpx.AsyncClient) -> None:
    """A body that is called JSON and something else is not read as JSON."""
    types = [("content-type", "application/json"), ("content-type", "text/plain")]
    for headers in (types, types[::-1]):
        response = await client.post("/graphql", content=json.dumps({"query": NAME}), headers=headers)
        assert response.status_code == 415
