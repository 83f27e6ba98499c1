"""Tests of `/graphql` by the GraphQL-over-HTTP specification."""

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest

from gql_server.app import create_app
from gql_server.config.settings import Settings
from schema.ports.errors import StoreUnavailable
from tests.support.schema.memory_tracking import MemoryTracking

MODERN = "application/graphql-response+json"
PLAIN = "application/json"
NAME = "{ experiment(experimentId: 1) { name } }"


def codes(response: httpx.Response) -> list[str]:
    """Return the codes of a response's errors."""
    return [error["extensions"]["code"] for error in response.json()["errors"]]


async def test_post_returns_data(client: httpx.AsyncClient) -> None:
    """A query sent as JSON gets its data and nothing else."""
    response = await client.post("/graphql", json={"query": NAME})
    assert response.status_code == 200
    assert response.json() == {"data": {"experiment": {"name": "one"}}}
    assert response.headers["content-type"] == f"{PLAIN}; charset=utf-8"


async def test_get_returns_data(client: httpx.AsyncClient) -> None:
    """A query in the URL, with variables and an operation name, gets its data."""
    query = "query a($id: ID!) { experiment(experimentId: $id) { name } } query b { server { version } }"
    parameters = {"query": query, "variables": json.dumps({"id": "1"}), "operationName": "a"}
    response = await client.get("/graphql", params=parameters)
    assert response.json() == {"data": {"experiment": {"name": "one"}}}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json", PLAIN),
        (MODERN, MODERN),
        (f"{MODERN},application/json;q=0.9", MODERN),
        (f"{MODERN};q=0.5, application/json", PLAIN),
        ("application/*", PLAIN),
        (f"{MODERN}, application/graphql+json, application/json, text/event-stream", MODERN),
    ],
)
async def test_media_type_is_negotiated(client: httpx.AsyncClient, accept: str, expected: str) -> None:
    """The response has the media type that the client prefers, and application/json by default."""
    response = await client.post("/graphql", json={"query": NAME}, headers={"accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


async def test_other_media_types_get_406(client: httpx.AsyncClient) -> None:
    """A client that accepts neither of the two media types gets 406."""
    response = await client.post("/graphql", json={"query": NAME}, headers={"accept": "text/csv"})
    assert response.status_code == 406


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nope }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ experiment(experimentId: true) { name } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query($id: ID!) { experiment(experimentId: $id) { name } }"}, "BAD_USER_INPUT"),
        ({"query": f"query a {NAME} query b {NAME}"}, "BAD_USER_INPUT"),
        ({"query": f"query a {NAME}", "operationName": "c"}, "BAD_USER_INPUT"),
        ({"query": "fragment f on Query { server { version } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ " + "server { version } " * 200 + "}"}, "LIMIT_EXCEEDED"),
        ({"query": "{a" * 2000 + "}" * 2000}, "LIMIT_EXCEEDED"),
    ],
)
async def test_invalid_document_is_refused(
    client: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    """A document that cannot be executed gets no data: 400 in the new media type and 200 in plain JSON."""
    for accept, status in ((MODERN, 400), (PLAIN, 200)):
        response = await client.post("/graphql", json=body, headers={"accept": accept})
        assert response.status_code == status
        assert "data" not in response.json()
        assert set(codes(response)) == {code}


@pytest.mark.parametrize(
    "parameters",
    [
        {"query": ""},
        {"variables": "{}"},
        {"query": NAME, "variables": "["},
        {"query": NAME, "variables": "1"},
    ],
)
async def test_malformed_query_string_gets_400(client: httpx.AsyncClient, parameters: dict[str, str]) -> None:
    """A URL whose parameters are not a request gets 400."""
    assert (await client.get("/graphql", params=parameters)).status_code == 400


async def test_other_methods_get_405(client: httpx.AsyncClient) -> None:
    """PUT gets 405."""
    assert (await client.put("/graphql", json={"query": NAME})).status_code == 405


async def test_browser_gets_graphiql(client: httpx.AsyncClient) -> None:
    """A browser gets GraphiQL, for a URL with a query too; another client gets JSON."""
    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    response = await client.get("/graphql", headers=browser)
    assert response.headers["content-type"].startswith("text/html")
    assert "graphiql" in response.text.lower()
    linked = await client.get("/graphql", params={"query": NAME}, headers=browser)
    assert linked.content == response.content
    head = await client.head("/graphql", headers=browser)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == response.headers["content-length"]
    assert (await client.get("/graphql", params={"query": NAME})).json()["data"]
    assert (await client.get("/graphql", headers={"accept": "*/*"})).status_code == 400
    assert (await client.get("/", follow_redirects=True, headers=browser)).url.path == "/graphql"


async def test_null_data_is_present_after_execution(
    client: httpx.AsyncClient, tracking: MemoryTracking
) -> None:
    """An operation that was executed has `data`, which is null if an error propagated to the root."""
    tracking.failing["experiments"] = StoreUnavailable("The store is down.")
    response = await client.post(
        "/graphql", json={"query": "{ experiments { nodes { name } } }"}, headers={"accept": MODERN}
    )
    assert response.status_code == 200
    assert response.json() == {
        "data": None,
        "errors": [
            {
                "message": "The store is down.",
                "locations": [{"line": 1, "column": 3}],
                "path": ["experiments"],
                "extensions": {"code": "STORE_UNAVAILABLE"},
            }
        ],
    }


async def test_unexpected_error_is_masked(
    client: httpx.AsyncClient, tracking: MemoryTracking, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error is logged under an id, and the response has only the id."""
    tracking.failing["experiments_by_id"] = RuntimeError("password hunter2 in /etc/secret.py")
    with caplog.at_level(logging.ERROR):
        response = await client.post("/graphql", json={"query": NAME})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "hunter2" not in response.text
    assert error["message"].rsplit(" ", 1)[1].rstrip(".") in caplog.text
    assert "hunter2" in caplog.text


async def test_errors_are_limited(client: httpx.AsyncClient) -> None:
    """Of many errors, the response has the first few and the number of the omitted ones."""
    fields = " ".join(f"f{number}: experiments(first: -1) {{ totalCount }}" for number in range(5))
    errors = (await client.post("/graphql", json={"query": f"{{ server {{ version }} {fields} }}"})).json()[
        "errors"
    ]
    assert len(errors) <= 4


async def test_disconnect_cancels_the_operation(tracking: MemoryTracking, settings: Settings) -> None:
    """The call to the store is cancelled when the client closes the connection."""
    started, stopped = asyncio.Event(), asyncio.Event()

    async def hang(*_: object) -> Any:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    tracking.experiments_by_id = hang  # type: ignore[method-assign, assignment]
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "http_version": "1.1",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }  # fmt: skip
    body = {"type": "http.request", "body": json.dumps({"query": NAME}).encode(), "more_body": False}

    async def receive() -> dict[str, Any]:
        if body:
            message = dict(body)
            body.clear()
            return message
        await started.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        pass

    await asyncio.wait_for(create_app(settings, tracking)(scope, receive, send), 10)
    await asyncio.wait_for(stopped.wait(), 10)
