"""Tests of the cost of operations."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLField, GraphQLObjectType, get_introspection_query, parse

from benchmarks.dataset import Sizes
from benchmarks.workload import workloads
from gql_server.config.settings import Settings
from gql_server.demo.welcome import CURVES, LEADERBOARD
from gql_server.operations.cost import OperationCost
from gql_server.operations.cost_map import COSTS, Cost, field_cost, is_size_argument
from gql_server.operations.document_metrics import operations_of
from schema.build import build_schema

ROOT = Path(__file__).parents[3]
SCHEMA = build_schema()._schema  # noqa: SLF001
MAX_COST: int = Settings.model_fields["max_cost"].default


def cost(source: str, **variables: Any) -> int:
    """Return what a document's only operation costs."""
    document = parse(source)
    (operation,) = operations_of(document)
    return OperationCost(SCHEMA, document, operation).of(variables)


def fields() -> Iterator[tuple[str, GraphQLField]]:
    """Yield each field of the schema with its name in the map."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field


def documented() -> list[str]:
    """Return the queries of README, and of the page of queries where there is one."""
    pages = [ROOT / "README.md", ROOT / "docs" / "queries.md"]
    texts = [page.read_text() for page in pages if page.exists()]
    return [query for text in texts for query in re.findall(r"```graphql\n(.*?)```", text, re.DOTALL)]


def test_cost_map_matches_the_schema() -> None:
    """Each field in the map is in the schema, with the arguments of its cost."""
    known = dict(fields())
    missing = [name for name in COSTS if name not in known]
    assert not missing, f"these have a cost and are not in the schema: {missing}"
    for name, one in COSTS.items():
        assert set(one.size_arguments) <= set(known[name].args), name


def test_fields_with_a_size_argument_are_in_the_map() -> None:
    """Each field with an argument that specifies a size is in the map."""
    missing = [
        name for name, field in fields() if any(map(is_size_argument, field.args)) and name not in COSTS
    ]
    assert not missing, f"add the costs of these to gql_server/operations/cost_map.py: {missing}"


@pytest.mark.parametrize(
    ("source", "objects"),
    [
        ("{ server { version store } }", 1),
        ("{ __typename }", 0),
        ("{ run(runId: 1) { name experiment { name } } }", 2),
        ("{ runs(first: 7) { nodes { name } } }", 1 + 7),
        ("{ runs(first: 7) { edges { node { name } } } }", 1 + 7 * 2),
        ("{ runs(first: 7) { totalCount pageInfo { endCursor } } }", 1 + 1),
        ("{ runs(first: 0) { nodes { name } } }", 1),
        ("{ runs(first: -5) { nodes { name } } }", 1),
        ("{ runs { nodes { name } } }", 1 + 50),
        ("{ runs(first: null) { nodes { name } } }", 1 + 50),
        ('{ runs(first: 2, experimentIds: ["1", "2", "3"]) { nodes { name } } }', 1 + 2),
        ('{ runs(first: 2) { nodes { params(keys: ["a", "b", "c"]) { value } } } }', 1 + 2 * (1 + 3)),
        ('{ runs(first: 2) { nodes { params(keys: "a") { value } } } }', 1 + 2 * (1 + 1)),
        ("{ runs(first: 2) { nodes { params { value } } } }", 1 + 2 * (1 + 20)),
        ("{ runs(first: 3) { nodes { metric(key: 1) { series { steps } } } } }", 1 + 3 * (1 + 1 + 10)),
        (
            "{ runs(first: 2) { nodes { " + " ".join(f"a{n}: name" for n in range(29)) + " } } }",
            1 + 2 * (1 + 2),
        ),
        (
            "{ run(runId: 1) { metric(key: 1) { series { "
            + " ".join(f"t{n}: timestamps" for n in range(200))
            + " } } } }",
            1 + 1 + 10 * (1 + 40),
        ),
        ('{ nodes(ids: ["a", "b"]) { id ... on Run { tags { key } } } }', 2 * (1 + 10)),
        ("{ a: server { ...S } b: server { ...S } } fragment S on Server { version }", 2),
        ("{ experiments(first: 3) { nodes { runs(first: 5) { nodes { name } } } } }", 1 + 3 * (1 + 1 + 5)),
        ("{ runs(first: " + "9" * 5000 + ") { nodes { name } } }", 1 + 1_000_000_000),
    ],
)  # fmt: skip
def test_nested_pages_and_lists_multiply(source: str, objects: int) -> None:
    """Each object costs one, for each of its parents."""
    assert cost(source) == objects


@pytest.mark.parametrize(
    ("variables", "objects"),
    [
        ({}, 1 + 6 * (1 + 20)),
        ({"n": 4, "keys": ["a"]}, 1 + 4 * (1 + 1)),
        ({"n": None, "keys": None}, 1 + 50 * (1 + 20)),
        ({"n": 10**400}, 1 + 1_000_000_000 * 21),
        ({"n": 1e300}, 1 + 1_000_000_000 * 21),
        ({"n": True, "keys": {}}, 1 + 50 * (1 + 1)),
        ({"n": "text", "keys": "a"}, 1 + 1 * (1 + 1)),
    ],
)
def test_variables_specify_sizes(variables: dict[str, Any], objects: int) -> None:
    """A size in a variable counts by its value or its default; a value that is not a size is ignored."""
    query = """query ($n: Int = 6, $keys: [String!]) {
      runs(first: $n) { nodes { params(keys: $keys) { value } } }
    }"""
    assert cost(query, **variables) == objects


SIZES = """query ($n: Int = 6, $keys: [String!], $other: String) {
  runs(first: $n, filter: $other) { nodes { params(keys: $keys) { value } } }
}"""


def test_cost_is_calculated_once_for_each_combination_of_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests whose variables have the same sizes share a calculation, and others have their own."""
    calculations = []

    def counted(*arguments: Any, **named: Any) -> Cost:
        calculations.append(arguments)
        return field_cost(*arguments, **named)

    monkeypatch.setattr("gql_server.operations.cost.field_cost", counted)
    document = parse(SIZES)
    operation_cost = OperationCost(SCHEMA, document, operations_of(document)[0])
    sizes: list[dict[str, Any]] = [
        *({}, {"n": None}, {"n": 4}, {"n": True}, {"n": 1}, {"n": "text"}, {"n": 10**400}),
        *({"keys": ["a"]}, {"keys": ["a", "b"]}, {"keys": {}}, {"n": 4, "keys": ["a", "b"]}),
    ]
    costs = [operation_cost.of(variables) for variables in sizes]
    assert costs == [cost(SIZES, **variables) for variables in sizes]
    calculations.clear()
    assert [operation_cost.of({**variables, "other": "x"}) for variables in sizes] == costs
    assert operation_cost.of({"keys": ["b"]}) == operation_cost.of({"n": 6, "keys": ["c"]})
    assert not calculations


@pytest.mark.parametrize("name", ["W1", "W2", "W2 as series", "W3"])
def test_benchmark_queries_are_within_the_limit(name: str) -> None:
    """The queries of the benchmarks cost less than the default limit."""
    (work,) = (work for work in workloads(Sizes()) if work.name == name)
    assert 0 < cost(work.document, **work.variables) <= MAX_COST


@pytest.mark.parametrize("query", [*documented(), LEADERBOARD, CURVES])
def test_documented_queries_are_within_the_limit(query: str) -> None:
    """Each query in the documentation costs less than the default limit."""
    document = parse(query)
    for operation in operations_of(document):
        assert 0 <= OperationCost(SCHEMA, document, operation).of({}) <= MAX_COST


def test_introspection_costs_the_size_of_the_schema() -> None:
    """The list of types costs as many as there are; GraphiQL's introspection is far below the limit."""
    types = len(SCHEMA.type_map)
    assert cost("{ __schema { types { name } } }") == 1 + types
    assert cost("{ __schema { a: types { name } b: types { name } } }") == 1 + 2 * types
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    assert cost(query) < MAX_COST / 5
    whole = "{ __schema { " + " ".join(f"a{number}: types {{ ...FullType }}" for number in range(40)) + " } }"
    assert cost(whole + query[query.index("fragment") :]) > MAX_COST


async def test_cost_is_included_on_request(client: httpx.AsyncClient) -> None:
    """The response includes the cost and the limit only if `extensions.cost` is true; `data` is the same."""
    query = "query ($n: Int) { experiments(first: $n) { nodes { name } } }"
    for number in (3, 3, 5):
        body: dict[str, Any] = {"query": query, "variables": {"n": number}}
        plain = (await client.post("/graphql", json=body)).json()
        shown = (await client.post("/graphql", json=body | {"extensions": {"cost": True}})).json()
        assert shown == plain | {"extensions": {"cost": {"requested": 1 + number, "maximum": MAX_COST}}}


async def test_operation_above_the_limit_is_refused_with_its_cost(client: httpx.AsyncClient) -> None:
    """The error of an operation above the limit includes the cost and the limit."""
    query = "query ($n: Int) { experiments(first: $n) { nodes { runs { nodes { name } } } } }"
    response = await client.post("/graphql", json={"query": query, "variables": {"n": 10**9}})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["extensions"]["cost"]["maximum"] == MAX_COST
    assert error["extensions"]["cost"]["requested"] > MAX_COST
    assert "data" not in response.json()
