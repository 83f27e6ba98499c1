"""Tests of what error messages reveal."""

import logging
import re
from typing import Any

import pytest

from gql_server.cache.response_cache import ResponseCache
from gql_server.operations import document_cache, executor
from gql_server.routes import graphql
from schema.build import build_schema
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

SECRET = "password hunter2 in /etc/secret.py"
SCHEMA = build_schema()._schema  # noqa: SLF001

MISTAKES: list[dict[str, Any]] = [
    {"query": "{ experimen { name } }"},
    {"query": "{ experiment(experimentI: 1) { name } }"},
    {"query": "{ experiment(experimentId: 1) { nam } }"},
    {"query": "{ experiment(experimentId: 1) }"},
    {"query": "{ experiment(experimentId: {a: 1}) { name } }"},
    {"query": "{ runs(view: ACTIV) { totalCount } }"},
    {"query": "{ runs(orderBy: [{metri: 1}]) { totalCount } }"},
    {"query": "{ runs(orderBy: [{attribute: STARTED}]) { totalCount } }"},
    {"query": "{ run { name } }"},
    {"query": "{ node(id: 1) { ... on Ru { name } } }"},
    {"query": "{ node(id: 1) { ... on Server { version } } }"},
    {"query": "{ server { version @includ(if: true) } }"},
    {"query": "{ server { version @include } }"},
    {"query": "{ ...F } fragment F on Ru { name }"},
    {"query": "query ($a: I) { server { version } }"},
    {"query": "query ($a: Int) { experiment(experimentId: $a) { name } }"},
    {"query": "query ($a: [RunOrder!]) { runs(orderBy: $a) { totalCount } }", "variables": {"a": [{"x": 1}]}},
    {"query": "query ($v: LifecycleView!) { runs(view: $v) { totalCount } }", "variables": {"v": "ALLL"}},
    {"query": "query ($v: LifecycleView!) { runs(view: $v) { totalCount } }"},
    {"query": "mutation { setRunTags { run { name } } }"},
    {"query": "subscription { runChanged(runId: 1) { name } }"},
    {"query": "{ __schema { types { name } } }"},
    {"query": '{ __type(name: "Run") { fields { name } } }'},
]


def names() -> set[str]:
    """Return the names in the schema, without those of GraphQL itself."""
    all_names = set()
    for name, type_ in SCHEMA.type_map.items():
        if not name.startswith("__"):
            all_names |= {name, *getattr(type_, "fields", ()), *getattr(type_, "values", ())}
            for field in getattr(type_, "fields", {}).values():
                all_names |= set(getattr(field, "args", ()))
    return all_names


@pytest.mark.parametrize("body", MISTAKES, ids=lambda body: body["query"])
async def test_errors_name_nothing_of_a_hidden_schema(tracking: MemoryTracking, body: dict[str, Any]) -> None:
    """With introspection off, no error has a name of the schema that is not in the request."""
    async with app_client(tracking, introspection=False) as client:
        response = (await client.post("/graphql", json=body)).json()
    assert "data" not in response
    assert {error["message"] for error in response["errors"]} == {"The request does not fit the schema."}
    rest = str([{**error, "message": ""} for error in response["errors"]])
    assert not set(re.findall(r"\w+", rest)) & (names() - set(re.findall(r"\w+", str(body))))


@pytest.mark.parametrize("body", MISTAKES, ids=lambda body: body["query"])
async def test_suggestions_can_be_disabled(tracking: MemoryTracking, body: dict[str, Any]) -> None:
    """With suggestions off, no error suggests a name."""
    async with app_client(tracking, suggestions=False) as client:
        assert "Did you mean" not in (await client.post("/graphql", json=body)).text


async def test_suggestions_are_on_by_default(tracking: MemoryTracking) -> None:
    """By default, errors suggest similar names."""
    async with app_client(tracking) as client:
        for body in MISTAKES[:2]:
            assert "Did you mean" in (await client.post("/graphql", json=body)).text


async def test_hidden_schema_can_be_queried(tracking: MemoryTracking) -> None:
    """With introspection off, queries are executed, with the `__typename` that clients add."""
    async with app_client(tracking, introspection=False) as client:
        response = await client.post("/graphql", json={"query": "{ __typename server { __typename } }"})
    assert response.json() == {"data": {"__typename": "Query", "server": {"__typename": "Server"}}}


async def test_unexpected_errors_are_masked_at_every_step(
    tracking: MemoryTracking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception before, during or after execution is an error with an id, and the log has the rest."""

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    def fail_at_once(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    for owner, name, failure in (
        (ResponseCache, "lookup", fail),
        (ResponseCache, "get_or_compute", fail),
        (document_cache, "parse", fail_at_once),
        (document_cache, "validate", fail_at_once),
        (executor, "execute_operation", fail),
        (graphql, "read_content", fail),
        (graphql, "parse_request", fail_at_once),
    ):
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(owner, name, failure)
            async with app_client(tracking) as client:
                response = await client.post("/graphql", json={"query": "{ server { version } }"})
        assert response.status_code == 500
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "hunter2" not in response.text
        assert error["message"].rsplit(" ", 1)[1].rstrip(".") in caplog.text


async def test_error_messages_are_shortened(tracking: MemoryTracking) -> None:
    """An error quotes a limited part of a request, however long its names are."""
    async with app_client(tracking) as client:
        body = {"query": "{ " + " ".join(f"{'x' * 9000}{number}" for number in range(10)) + " }"}
        response = await client.post("/graphql", json=body)
    assert len(response.content) < 15_000
