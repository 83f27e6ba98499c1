"""Tests of counting the values in arguments."""

from typing import Any

import httpx
import pytest
from graphql import parse

from gql_server.operations.argument_metrics import ArgumentMetrics
from gql_server.operations.document_metrics import operations_of
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

LOG = "mutation ($i: LogBatchInput!) { logBatch(input: $i) { run { runId } } }"


def value_count(source: str, **variables: Any) -> int:
    """Return the number of values in the arguments of a document's first operation."""
    document = parse(source)
    return ArgumentMetrics(document, operations_of(document)[0]).count(variables)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("{ a }", 0),
        ('{ a(b: "c", d: 1) }', 0),
        ('{ a(b: ["c", "d"]) }', 2),
        ("{ a(b: {}) }", 10),
        ("{ a(b: [{}, {c: {d: [1, 2]}}]) }", 2 + 10 + 10 + 10 + 2),
        ("{ a { b(c: [1]) ... { d(e: [1]) } ...F } f { ...F } } fragment F on G { h(i: [1, 2]) }", 1 + 1 + 4),
        ("query ($a: A = [1, 2, {}]) { b(c: $a) d(e: [$a]) }", 2 * (3 + 10) + 1),
        ("{ a } query B { b(c: [1]) }", 0),
    ],
)
def test_literals_count_for_each_spread(source: str, count: int) -> None:
    """A list counts by its items and an object as ten, for each spread of its fragment."""
    assert value_count(source) == count


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({}, 3 * 2),
        ({"a": None}, 0),
        ({"a": [1, 2, 3]}, 3 * 3),
        ({"a": {"b": {"c": [{}, []]}}}, 3 * (10 + 10 + 2 + 10)),
        ({"a": {str(number): 1 for number in range(50)}}, 3 * 50),
        ({"a": [1], "unused": [2, 3, 4]}, 3 + 3),
        ({"a": [1], "unknown": [2, 3, 4]}, 3),
    ],
)
def test_variable_counts_for_each_argument(variables: dict[str, Any], count: int) -> None:
    """The value of a variable counts for each argument that uses it, and once if none does."""
    source = "query ($a: A = [1, 2], $unused: A) { b(c: $a) ...F ...F } fragment F on G { h(i: {}) }"
    written = source.replace("i: {}", "i: {j: $a}")
    assert value_count(written, **variables) == count + 2 * 10


async def codes(client: httpx.AsyncClient, query: str, **variables: Any) -> set[str]:
    """Return the codes of a response's errors."""
    response = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    return {error["extensions"]["code"] for error in response.get("errors", ())}


async def test_full_batch_is_within_the_limit() -> None:
    """A batch of `max_batch` objects is allowed beside `max_values`; a larger one is not."""
    points = [{"key": "loss", "value": 0.5, "step": step} for step in range(20_000)]
    async with app_client(MemoryTracking([]), writable=True, max_values=100) as client:
        batch = {"runId": "0" * 32, "metrics": points}
        assert "LIMIT_EXCEEDED" not in await codes(client, LOG, i=batch)
        assert await codes(client, LOG, i=batch | {"metrics": points + points[:100]}) == {"LIMIT_EXCEEDED"}


async def test_full_page_of_ids_is_within_the_limit(tracking: MemoryTracking) -> None:
    """The ids of the largest page are allowed in several fields, beside the largest condition."""
    query = """query ($ids: [ID!]!, $w: RunFilter) {
      a: nodes(ids: $ids) { id } b: nodes(ids: $ids) { id } runs(where: $w) { totalCount }
    }"""
    where = {"and": [{"name": {"eq": "a"}}] * 249}
    async with app_client(tracking) as client:
        # The ids are invalid, which is an error of their coercion, after the limits are checked.
        assert await codes(client, query, ids=["a"] * 1000, w=where) == {"BAD_USER_INPUT"}
