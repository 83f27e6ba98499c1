"""What a list returns is found by its id and its name, and in the promised order, on every store."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from mlflow import MlflowClient

from schema.ports.store_kind import StoreKind
from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.schema.document_strategies import SCHEMA
from tests.support.stores.store import Store

NAMES = ("plain", "ünï ✓", "it's", 'a "b"', "a%b_c", "a\\b", "x#y?z", "Case", "100%25")
"""Names of experiments, runs, and, as far as they are allowed, of models."""
PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"
FIELDS = {
    "Experiment": "experimentId name",
    "Run": "runId name",
    "RegisteredModel": "name",
    "ModelVersion": "name version",
    "LoggedModel": "modelId name",
}
LISTS = {
    "Query.experiments": "experiments(first: 100, view: ALL) { nodes { %Experiment } }",
    "Query.runs": "runs(first: 100, view: ALL) { nodes { %Run } }",
    "Query.registeredModels": "registeredModels(first: 100) { nodes { %RegisteredModel } }",
    "prompts": f'registeredModels(first: 100, filter: "{PROMPTS}") {{ nodes {{ %RegisteredModel }} }}',
    "RegisteredModel.versions": (
        f'a: registeredModels(first: 100, filter: "{PROMPTS}") {{ nodes {{ %RegisteredModel'
        " versions { totalCount nodes { %ModelVersion } } } }"
        " b: registeredModels(first: 100) { nodes { %RegisteredModel"
        " versions { totalCount nodes { %ModelVersion } } } }"
    ),
    "Experiment.runs": "experiments(first: 100) { nodes { runs(first: 100) { nodes { %Run } } } }",
    "Experiment.loggedModels": "experiments { nodes { loggedModels { nodes { %LoggedModel } } } }",
    "Run.children": "runs(first: 100) { nodes { %Run children { nodes { %Run } } } }",
    "Run.loggedModels": "runs(first: 100) { nodes { %Run loggedModels { %LoggedModel } } }",
    "Run.modelVersions": "runs(first: 100) { nodes { %Run modelVersions { %ModelVersion } } }",
    "RunComparison.runs": 'compareRuns(runIds: ["%run"]) { runs { %Run } }',
}
"""A query of each list of the schema whose items have ids; %Type stands for the fields of a type."""
LOOKUPS = {
    "Experiment": ("experiment(experimentId: $experimentId)", "experiment(name: $name)"),
    "Run": ("run(runId: $runId)",),
    "RegisteredModel": ("registeredModel(name: $name)",),
    "ModelVersion": ("modelVersion(name: $name, version: $version)",),
}
VARIABLES = {"experimentId": "ID!", "runId": "ID!", "modelId": "ID!", "name": "String!", "version": "String!"}


@pytest.fixture(params=("sqlite", "postgres", "mysql", "file", "server", "azure"))
def filled(request: pytest.FixtureRequest) -> tuple[Store, str]:
    """Give each kind of store with something of each kind, and the id of a run."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    client_uri = request.getfixturevalue("azure").upstream if request.param == "azure" else store.uri
    return store, _fill(store, MlflowClient(client_uri, client_uri))


@pytest.fixture
async def graphql(filled: tuple[Store, str]) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server over the store."""
    async with graphql_client(filled[0].uri, **UNCACHED) as graphql:
        yield graphql


def _fill(store: Store, client: MlflowClient) -> str:
    for number, name in enumerate(NAMES):
        # The folders of a file store cannot have all names.
        is_file = store.kind is StoreKind.FILE
        experiment = client.create_experiment(f"experiment {number}" if is_file else name)
        parent = client.create_run(experiment, run_name=name).info.run_id
        client.create_run(experiment, run_name=name, tags={"mlflow.parentRunId": parent})
        if not set(name) & {"/", ":", "%"}:
            client.create_registered_model(name)
            for _ in range(3):
                client.create_model_version(name, f"runs:/{parent}/model", parent)
            client.update_model_version(name, "1", "changed last")
    client.delete_run(parent)
    client.delete_experiment(experiment)
    run: str = client.create_run("0").info.run_id
    if store.kind is not StoreKind.AZURE_ML:
        client.register_prompt("ask", "Say {{it}}.")
        client.register_prompt("ask", "Say {{it}} again.")
        for name in ("one", "two"):
            client.create_logged_model("0", name, run)
    return run


def _lists_of_nodes() -> set[str]:
    """Return each field of the schema that returns several objects with a global id."""
    node_types = {type_.name for type_ in SCHEMA.type_map.values() if _is_node(type_)}
    connections = {f"{name}Connection" for name in node_types}
    found = set()
    for type_ in SCHEMA.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.endswith(("Connection", "Edge")):
            continue
        for name, field in type_.fields.items():
            named = get_named_type(field.type).name
            if named in connections or (named in node_types and "[" in str(field.type)):
                found.add(f"{type_.name}.{name}")
    return found


def _is_node(type_: Any) -> bool:
    return isinstance(type_, GraphQLObjectType) and any(each.name == "Node" for each in type_.interfaces)


def test_each_list_of_the_schema_is_tested() -> None:
    """Each field that returns several objects with ids has a query here."""
    assert _lists_of_nodes() <= {*LISTS, "Query.nodes"}


def _nodes_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "id" in value:
            yield value
        for part in value.values():
            yield from _nodes_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _nodes_in(part)


async def _listed(graphql: GraphQLClient, template: str, run: str) -> list[dict[str, Any]]:
    query = template.replace("%run", run)
    for type_, fields in FIELDS.items():
        query = query.replace(f"%{type_}", f"__typename id {fields}")
    return list(_nodes_in(await graphql.data(f"{{ {query} }}")))


async def test_what_a_list_returns_is_found(graphql: GraphQLClient, filled: tuple[Store, str]) -> None:
    """`node` and the lookups by id and by name return each object that any list returns."""
    for field, template in LISTS.items():
        nodes = await _listed(graphql, template, filled[1])
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
        found = (await graphql.data(query, ids=[node["id"] for node in nodes]))["nodes"]
        assert found == [{key: node[key] for key in ("__typename", "id")} for node in nodes], field
        for node in nodes:
            for lookup in LOOKUPS.get(node["__typename"], ()):
                names = [name for name in VARIABLES if f"${name}" in lookup]
                head = ", ".join(f"${name}: {VARIABLES[name]}" for name in names)
                query = f"query ({head}) {{ {lookup} {{ id }} }}"
                (result,) = (await graphql.data(query, **{name: node[name] for name in names})).values()
                assert result == {"id": node["id"]}, (field, node)


async def test_versions_are_the_latest_first(graphql: GraphQLClient, filled: tuple[Store, str]) -> None:
    """Versions are sorted from the latest to the first, also after an older one was changed, and counted."""
    store, _ = filled
    query = """query ($filter: String) { registeredModels(first: 100, filter: $filter) {
        nodes { name versions { totalCount nodes { version } } } } }"""
    models = (await graphql.data(query))["registeredModels"]["nodes"]
    assert [model["name"] for model in models] == sorted(model["name"] for model in models)
    for model in models:
        versions = [int(version["version"]) for version in model["versions"]["nodes"]]
        assert versions == list(range(model["versions"]["totalCount"], 0, -1)) == [3, 2, 1]
    if store.kind in {StoreKind.SQL, StoreKind.MLFLOW_SERVER}:
        (prompt,) = (await graphql.data(query, filter=PROMPTS))["registeredModels"]["nodes"]
        versions = prompt["versions"]
        assert (versions["totalCount"], [each["version"] for each in versions["nodes"]]) == (2, ["2", "1"])
    query = "{ runs(first: 100) { nodes { modelVersions { name version } } } }"
    for run in (await graphql.data(query))["runs"]["nodes"]:
        keys = [(version["name"], -int(version["version"])) for version in run["modelVersions"]]
        assert keys == sorted(keys)


async def test_pages_of_versions_follow_each_other(graphql: GraphQLClient) -> None:
    """Pages of one version each have all versions, the latest first."""
    query = """query ($after: String) { registeredModel(name: "plain") { versions(first: 1, after: $after) {
        nodes { version } pageInfo { hasNextPage endCursor } } } }"""
    found, after = [], None
    while True:
        page = (await graphql.data(query, after=after))["registeredModel"]["versions"]
        found += [version["version"] for version in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == ["3", "2", "1"]
