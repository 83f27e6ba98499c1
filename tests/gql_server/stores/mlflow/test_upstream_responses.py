"""Responses of an MLflow server that are empty or too large are errors, and never an empty result."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.servers.scripted_server import Respond, scripted_server

RUN_ID = "0123456789abcdef0123456789abcdef"
MEGABYTE = 1_000_000
LISTS = (
    "{ runs(experimentIds: [1]) { nodes { name } totalCount } }",
    "{ experiments { nodes { name } totalCount } }",
    "{ registeredModels { nodes { name } totalCount } }",
    f'{{ compareRuns(runIds: ["{RUN_ID}"]) {{ params {{ key }} }} }}',
    "{ runGroups(experimentIds: [1]) { count } }",
    "{ runRows { runId } }",
)
LOOKUPS = (
    f'{{ run(runId: "{RUN_ID}") {{ name }} }}',
    '{ experiment(experimentId: "1") { name } }',
    '{ experiment(name: "x") { name } }',
    '{ registeredModel(name: "x") { name } }',
    '{ modelVersion(name: "x", version: "1") { status } }',
)


class _Endless(list[Respond]):
    """Responses of a scripted server that are all the same."""

    def __init__(self, respond: Respond) -> None:
        super().__init__()
        self._respond = respond

    def pop(self, _index: Any = -1) -> Respond:
        return self._respond


@asynccontextmanager
async def _over(respond: Respond, **settings: Any) -> AsyncIterator[GraphQLClient]:
    """Yield a client of an application over a server that sends the same response to all requests."""
    async with (
        scripted_server(_Endless(respond)) as uri,
        graphql_client(uri, **UNCACHED, **settings) as graphql,
    ):
        yield graphql


def _json(body: bytes) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    return respond


async def _codes(graphql: GraphQLClient, query: str) -> set[str]:
    body = (await graphql.response(query)).json()
    assert not any((body.get("data") or {}).values()), body
    return {error["extensions"]["code"] for error in body["errors"]}


@pytest.mark.parametrize("body", [b"", b" \r\n", b"200 OK"])
async def test_empty_response_is_unavailable(body: bytes) -> None:
    """An empty response is STORE_UNAVAILABLE in lists, lookups and tables."""
    async with _over(_json(body)) as graphql:
        for query in LISTS + LOOKUPS:
            assert await _codes(graphql, query) == {"STORE_UNAVAILABLE"}, query
        for table in ("runs", "experiments", "metrics"):
            response = await graphql.http.get(f"/tables/{table}.csv")
            assert response.status_code == 503, table
            assert response.json()["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"


async def test_response_without_the_object_is_unavailable() -> None:
    """A response to a lookup without the object is STORE_UNAVAILABLE, and not an absent object."""
    async with _over(_json(b"{}")) as graphql:
        for query in LOOKUPS:
            assert await _codes(graphql, query) == {"STORE_UNAVAILABLE"}, query


async def test_long_response_is_not_parsed_beyond_the_processor_time() -> None:
    """Parsing cannot be interrupted: a response that would take too long is refused before it."""
    body = b" " * 5 * MEGABYTE + b"no JSON"
    async with _over(_json(body), max_processor_seconds=0.4) as graphql:
        for query in LISTS[:2] + LOOKUPS[:2]:
            assert await _codes(graphql, query) == {"LIMIT_EXCEEDED"}, query
    async with _over(_json(body)) as graphql:
        assert await _codes(graphql, LISTS[0]) == {"STORE_UNAVAILABLE"}


@dataclass
class _Flood:
    """A server that sends up to `total` bytes in one response, and counts them in `sent`."""

    total: int
    sent: int = 0
    ended: list[bool] = field(default_factory=list)

    async def with_length(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.total)
        await self._send(writer, lambda part: part)

    async def chunked(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self._send(writer, lambda part: b"%x\r\n%b\r\n" % (len(part), part))

    async def _send(self, writer: asyncio.StreamWriter, frame: Callable[[bytes], bytes]) -> None:
        part = b" " * MEGABYTE
        while self.sent < self.total:
            writer.write(frame(part))
            self.sent += len(part)
            await writer.drain()


@pytest.mark.parametrize("form", ["with_length", "chunked"])
async def test_too_large_response_is_not_read(form: str) -> None:
    """A response beyond GQL_MAX_UPSTREAM_BYTES is LIMIT_EXCEEDED, and the rest of it is not read."""
    flood = _Flood(500 * MEGABYTE)
    async with _over(getattr(flood, form), max_upstream_bytes=3 * MEGABYTE) as graphql:
        error = await graphql.error("{ runs(experimentIds: [1]) { nodes { name } } }")
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_MAX_UPSTREAM_BYTES" in error["message"]
    # Beside what was read, the buffers of the sockets have some megabytes; MLflow's client asks twice.
    assert flood.sent < 50 * MEGABYTE


async def test_compressed_response_counts_decompressed() -> None:
    """A small response that decompresses to more than the limit is LIMIT_EXCEEDED."""
    body = gzip.compress(b" " * (20 * MEGABYTE))

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async with _over(respond, max_upstream_bytes=3 * MEGABYTE) as graphql:
        assert await _codes(graphql, "{ experiments { nodes { name } } }") == {"LIMIT_EXCEEDED"}


async def test_response_within_the_limit_is_read() -> None:
    """A response of exactly the limit is read."""
    body = b'{"experiments": [{"experiment_id": "1", "name": "x", "lifecycle_stage": "active"}]}'
    async with _over(_json(body), max_upstream_bytes=len(body)) as graphql:
        data = await graphql.data("{ experiments { nodes { name } } }")
        assert data["experiments"]["nodes"] == [{"name": "x"}]
    async with _over(_json(body), max_upstream_bytes=len(body) - 1) as graphql:
        assert await _codes(graphql, "{ experiments { nodes { name } } }") == {"LIMIT_EXCEEDED"}
