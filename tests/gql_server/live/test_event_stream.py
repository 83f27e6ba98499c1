"""Tests of GraphQL over Server-Sent Events."""

import asyncio
from typing import Any

import httpx
import pytest

from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.request_error import RequestError
from gql_server.live.live_connections import ConnectionEnd
from schema.ports.errors import StoreUnavailable
from tests.support.app.scripted_events import ScriptedEvents
from tests.support.app.small_app import SmallApp
from tests.support.servers.served_app import served_app

STREAM = "text/event-stream"
URQL = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream"
QUERY = "{ __schema { queryType { name } } }"
TICKS = {"query": "subscription { ticks }"}
ONE, TWO = b'{"data":{"ticks":1}}', b'{"data":{"ticks":2}}'
NEXT_ONE = 'event: next\ndata: {"data":{"ticks":1}}\n\n'
COMPLETE = "event: complete\ndata:\n\n"


async def post(app: SmallApp, accept: str = STREAM, **body: Any) -> httpx.Response:
    """Return the whole response to a request, by default for a subscription."""
    async with client(app) as http:
        return await http.post("/", json=body or TICKS, headers={"accept": accept})


def client(app: SmallApp) -> httpx.AsyncClient:
    """Return a client that calls the application in this event loop."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://test")


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_results_are_events(method: str) -> None:
    """Each result is an event `next`, and the end of the operation is `complete`, by POST and GET."""
    async with client(SmallApp(events=ScriptedEvents(ONE, TWO))) as http:
        sent = {"params": TICKS} if method == "GET" else {"json": TICKS}
        response = await http.request(method, "/", headers={"accept": STREAM}, **sent)  # type: ignore[arg-type]
    assert response.status_code == 200
    assert response.text == NEXT_ONE + NEXT_ONE.replace("1", "2") + COMPLETE
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in response.headers


async def test_query_is_one_event() -> None:
    """A query over an event stream has one result, with the data that it has as JSON."""
    app = SmallApp()
    response, json = await post(app, query=QUERY), await post(app, "application/json", query=QUERY)
    assert json.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert response.text == f"event: next\ndata: {json.text}\n\n{COMPLETE}"


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (URQL, QUERY, "application/graphql-response+json"),
        (URQL, "subscription { ticks }", STREAM),
        (f"{STREAM}, application/json", QUERY, "application/json"),
        (f"{STREAM}, application/json;q=0.5", QUERY, STREAM),
        (f"{STREAM}, */*", QUERY, STREAM),
        (f"application/json, {STREAM};q=0.9", "subscription { ticks }", STREAM),
        (f"{STREAM};q=0, application/json", QUERY, "application/json"),
    ],
)
async def test_json_is_preferred_for_queries(accept: str, query: str, expected: str) -> None:
    """A query has a JSON response if the client accepts JSON as well; a subscription has a stream."""
    response = await post(SmallApp(events=ScriptedEvents(ONE)), accept, query=query)
    assert response.headers["content-type"].partition(";")[0] == expected


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/graphql-response+json"])
async def test_subscription_needs_a_stream(accept: str) -> None:
    """A subscription by a client that does not accept event streams gets 406 with a code."""
    response = await post(SmallApp(), accept)
    assert response.status_code == 406
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert STREAM in response.json()["errors"][0]["message"]


async def test_mutation_is_not_executed_by_get() -> None:
    """A mutation by GET gets 405 over an event stream too."""
    async with client(SmallApp(Settings(tracking_uri="unused:", writable=True))) as http:
        headers = {"accept": STREAM}
        response = await http.get("/", params={"query": "mutation { write }"}, headers=headers)
    assert response.status_code == 405


async def test_invalid_document_is_an_event() -> None:
    """The errors of an invalid document are a result, which a browser's EventSource can read too."""
    response = await post(SmallApp(), query="{ unknown }")
    assert response.status_code == 200
    assert "GRAPHQL_VALIDATION_FAILED" in response.text
    assert response.text.startswith('event: next\ndata: {"errors":[')
    assert response.text.endswith(COMPLETE)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RequestError.unavailable("busy", ErrorCode.OVERLOADED), 503, "OVERLOADED"),
        (StoreUnavailable("down"), 503, "STORE_UNAVAILABLE"),
        (ValueError("secret"), 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_error_before_the_first_event_has_a_status(error: Exception, status: int, code: str) -> None:
    """An error before the first event is an HTTP response, and a later one is the last result."""
    response = await post(SmallApp(events=ScriptedEvents(error=error)))
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (status, code)
    assert "secret" not in response.text
    later = await post(SmallApp(events=ScriptedEvents(ONE, error=error)))
    assert later.status_code == 200
    assert later.text.startswith(f'{NEXT_ONE}event: next\ndata: {{"errors":[')
    assert f'"code":"{code}"' in later.text
    assert "secret" not in later.text
    assert later.text.endswith(COMPLETE)


@pytest.mark.parametrize("setting", ["max_live_connections", "max_caller_connections"])
async def test_connections_are_limited(setting: str) -> None:
    """A stream beyond a limit gets 503 with LIMIT_EXCEEDED and the setting's name, until another ends."""
    events = ScriptedEvents(ONE, waits=True)
    app = SmallApp(Settings(tracking_uri="unused:", **{setting: 1}), events)
    first = asyncio.create_task(post(app))
    await events.waiting.wait()
    response = await post(app)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "LIMIT_EXCEEDED")
    assert f"GQL_{setting.upper()}" in error["message"]
    app.connections.end_all()
    await first
    events.waits = False
    assert (await post(app)).status_code == 200
    assert len(app.connections) == 0


async def test_ended_stream_has_no_complete() -> None:
    """A stream that the server ends has no `complete`, so that its client connects again."""
    events = ScriptedEvents(ONE, waits=True)
    app = SmallApp(events=events)
    response = asyncio.create_task(post(app))
    await events.waiting.wait()
    app.connections.end_all()
    assert (await response).text == NEXT_ONE
    assert events.running == 0


async def test_stream_ends_with_its_age() -> None:
    """A stream ends after `GQL_LIVE_CONNECTION_SECONDS`."""
    settings = Settings(tracking_uri="unused:", live_connection_seconds=0.01)
    assert (await post(SmallApp(settings, ScriptedEvents(ONE, waits=True)))).text == NEXT_ONE


async def test_silent_stream_has_comments() -> None:
    """A stream without events has comments, and starts although no event has come."""
    settings = Settings(tracking_uri="unused:", live_keep_alive=0.01, live_connection_seconds=1.5)
    response = await post(SmallApp(settings, ScriptedEvents(waits=True)))
    assert response.status_code == 200
    assert set(response.text.split("\n\n")) == {":", ""}
    assert response.text.count(":") > 1


def test_departed_client_ends_its_operation() -> None:
    """The operation of a client that leaves is ended, and the connection is not counted any more."""
    events = ScriptedEvents(ONE, waits=True)
    app = SmallApp(events=events)
    with served_app(app.app) as (host, port):
        for _ in range(20):
            url, headers = f"http://{host}:{port}/", {"accept": STREAM}
            with httpx.stream("POST", url, json=TICKS, headers=headers) as response:
                # httpx closes the response together with the iterator.
                parts = response.iter_text()
                assert next(parts) == NEXT_ONE
                assert events.running >= 1
    assert events.running == 0
    assert len(app.connections) == 0
    assert len(events.requests) == 20


async def test_reasons_are_told_apart() -> None:
    """The first reason to end a connection is the one that counts."""
    app = SmallApp()
    with app.connections.open("ada") as connection:
        connection.end(ConnectionEnd.EXPIRED)
        app.connections.end_all()
        assert connection.ended.result() is ConnectionEnd.EXPIRED
