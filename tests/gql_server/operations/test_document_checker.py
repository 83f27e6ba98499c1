"""Tests of the limits of documents."""

import time
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from tests.support.app.app_client import app_client
from tests.support.garbage_collection import without_garbage_collection
from tests.support.schema.memory_tracking import MemoryTracking

CODE = "LIMIT_EXCEEDED"
_MAX_CPU_SECONDS = 2.0
"""Seconds of CPU time of this thread, many times what each check takes on a busy machine."""


@pytest.fixture
async def open_client(tracking: MemoryTracking) -> httpx.AsyncClient:
    """Return a client of an application with the default limits."""
    return app_client(tracking)


def double_spreads(levels: int) -> str:
    """Return fragments that each spread the next one twice: 2**levels fields."""
    spreads = "".join(
        f"fragment F{level} on Query {{ ...F{level + 1} ...F{level + 1} }}\n" for level in range(levels)
    )
    return f"{{ ...F0 }}\n{spreads}fragment F{levels} on Query {{ server {{ version }} }}"


def nested_doubles(levels: int) -> str:
    """Return fields that each select the next one twice through a fragment."""
    nested = "".join(
        f"fragment F{level} on Experiment {{ runs {{ nodes {{ experiment {{ ...F{level + 1} }} }} }} "
        f"runs {{ nodes {{ experiment {{ ...F{level + 1} }} }} }} }}\n"
        for level in range(levels)
    )
    return (
        f"{{ experiment(experimentId: 1) {{ ...F0 }} }} {nested}fragment F{levels} on Experiment {{ name }}"
    )


def deep(levels: int) -> str:
    """Return a query of many levels."""
    return "{ run(runId: 1) " + "{ experiment { runs { nodes " * levels + "{ name }" + "} } }" * levels + "}"


ABUSES = {
    "2 kB of nested double spreads": (double_spreads(50), "GQL_MAX_FIELDS"),
    "nested double fields": (nested_doubles(15), "GQL_MAX_"),
    "one name many times": ("{ " + "server { version } " * 1200 + "}", "GQL_MAX_ROOT_FIELDS"),
    "one leaf many times": ("{ server { " + "version " * 3000 + "} }", "of one name"),
    "levels": (deep(7), "GQL_MAX_DEPTH"),
    "levels beyond the parser": ("{a" * 1500 + "}" * 1500, "GQL_MAX_DEPTH"),
    "lists within lists": (f"{{ nodes(ids: {'[' * 2000}{']' * 2000}) {{ id }} }}", "GQL_MAX_DEPTH"),
    "aliases": (
        "{ server { " + " ".join(f"a{number}: version" for number in range(201)) + " } }",
        "GQL_MAX_ALIASES",
    ),
    "root fields": ("{ " + " ".join(["__typename"] * 51) + " }", "GQL_MAX_ROOT_FIELDS"),
    "directives": ("{ server " + "@include(if: true) " * 101 + "{ version } }", "GQL_MAX_DIRECTIVES"),
    "unknown directives": ("{ server " + "@a " * 2000 + "{ version } }", "GQL_MAX_DIRECTIVES"),
    "directives on the operation": ("query " + "@a " * 2000 + "{ server { version } }", "GQL_MAX_DIRECTIVES"),
    "directives on a variable": ("query ($a: Int " + "@a " * 2000 + ") { __typename }", "GQL_MAX_DIRECTIVES"),
    "fragments": (
        "{ __typename }" + "".join(f" fragment F{number} on Query {{ a }}" for number in range(101)),
        "GQL_MAX_FRAGMENTS",
    ),
    "operations": (" ".join(f"query q{number} {{ __typename }}" for number in range(21)), "20 operations"),
    "tokens": ("{ server { " + "version " * 5001 + "} }", "GQL_MAX_TOKENS"),
    "comments": ("#\n" * 200_000 + "{ __typename }", "GQL_MAX_DOCUMENT_BYTES"),
    "comments within": ("#\n" * 49_000 + "{ __typename }", "GQL_MAX_TOKENS"),
    "conditions in a fragment": (
        "{ " + " ".join(f"a{number}: experiment(experimentId: 0) {{ ...F }}" for number in range(45)) + " } "
        "fragment F on Experiment { runs(where: { and: [" + "{}" * 1550 + "] }) { totalCount } }",
        "GQL_MAX_VALUES",
    ),
    "lines": (
        "\n" * 99_000
        + "{ experiments { nodes { "
        + " ".join(f"x{number}" for number in range(150))
        + " } } }",
        "GQL_MAX_TOKENS",
    ),
    "pages within pages": (
        "{ experiments(first: 1000) { nodes { runs(first: 1000) { nodes { name } } } } }",
        "GQL_MAX_COST",
    ),
}

BY_IDS = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
ONCE = "query ($w: RunFilter) { runs(where: $w) { totalCount } }"
OFTEN = (
    "query ($w: RunFilter) { "
    + " ".join(f"a{number}: runs(where: $w) {{ totalCount }}" for number in range(45))
    + " }"
)
VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "20 kB of conditions, read 45 times": (OFTEN, {"w": {"and": [{}] * 6000}}),
    "900 kB of conditions": (ONCE, {"w": {"and": [{}] * 300_000}}),
    "240,000 ids": (BY_IDS, {"ids": ["a"] * 240_000}),
    "240,000 ids that are none": (BY_IDS, {"ids": [{}] * 240_000}),
    "a condition of 90,000 unknown fields": (ONCE, {"w": {f"x{number}": 1 for number in range(90_000)}}),
}


async def refusal(client: httpx.AsyncClient, query: str, **variables: object) -> tuple[str, float]:
    """Return the message that a request is refused with, and the seconds of this thread that it takes."""
    with without_garbage_collection():
        start = time.thread_time()
        response = await client.post("/graphql", json={"query": query, "variables": variables})
        seconds = time.thread_time() - start
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == CODE
    return error["message"], seconds


@pytest.mark.parametrize("name", ABUSES)
async def test_expensive_document_is_refused_quickly(open_client: httpx.AsyncClient, name: str) -> None:
    """A document that is meant to be expensive is refused by its limit, in little CPU time."""
    document, limit = ABUSES[name]
    message, seconds = await refusal(open_client, document)
    assert limit in message
    assert seconds < _MAX_CPU_SECONDS


@pytest.mark.parametrize("name", VARIABLES)
async def test_expensive_variables_are_refused_quickly(open_client: httpx.AsyncClient, name: str) -> None:
    """Variables that take long to coerce are refused before they are coerced."""
    document, variables = VARIABLES[name]
    message, seconds = await refusal(open_client, document, **variables)
    assert "GQL_MAX_VALUES" in message
    assert seconds < _MAX_CPU_SECONDS


@pytest.mark.parametrize(
    "document",
    [
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A server { version } }",
        "{ run(runId: 1) { ...B } } fragment B on Run { experiment { runs { nodes { ...B ...B } } } }",
        "fragment A on Query { ...A }",
    ],
)
async def test_cyclic_fragment_is_a_validation_error(open_client: httpx.AsyncClient, document: str) -> None:
    """A fragment that spreads itself is a validation error, whether it is used or not."""
    response = await open_client.post("/graphql", json={"query": document})
    codes = {error["extensions"]["code"] for error in response.json()["errors"]}
    assert codes == {"GRAPHQL_VALIDATION_FAILED"}


async def test_introspection_is_within_the_limits(open_client: httpx.AsyncClient) -> None:
    """GraphiQL's introspection with all options is within the default limits."""
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True
    )
    response = await open_client.post("/graphql", json={"query": query})
    assert response.json()["data"]["__schema"]


async def test_repeated_fragments_and_fields_are_allowed(open_client: httpx.AsyncClient) -> None:
    """A fragment may be spread several times, and a field selected twice."""
    query = (
        "{ a: server { ...S ...T } b: server { ...S ...T version } } "
        "fragment S on Server { version store } fragment T on Server { version ...S }"
    )
    response = (await open_client.post("/graphql", json={"query": query})).json()
    assert set(response["data"]) == {"a", "b"}
