"""What a list returns is found by its id and its name, and in the promised order, on every store."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException

from gql_server.stores.mlflow_names import PROMPT_TAG
from schema.ports.store_kind import StoreKind
from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.name_strategies import IN_ONE_STORE, any_name
from tests.support.schema.document_strategies import SCHEMA
from tests.support.stores.store import Store

NAMES = [
    *("plain", "ünï ✓", "it's", 'a "b"', "a%b_c", "a\\b", "x#y?z", "Case", "100%25", "a\nb", "a\\"),
    'it\'s "both"',
]
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
    "Query.experiments": "experiments(first: 1000, view: ALL) { nodes { %Experiment } }",
    "Query.runs": "runs(first: 1000, view: ALL) { nodes { %Run } }",
    "Query.registeredModels": "registeredModels(first: 1000) { nodes { %RegisteredModel } }",
    "prompts": f'registeredModels(first: 1000, filter: "{PROMPTS}") {{ nodes {{ %RegisteredModel }} }}',
    "RegisteredModel.versions": (
        f'a: registeredModels(first: 1000, filter: "{PROMPTS}") {{ nodes {{ %RegisteredModel'
        " versions { totalCount nodes { %ModelVersion } } } }"
        " b: registeredModels(first: 1000) { nodes { %RegisteredModel"
        " versions { totalCount nodes { %ModelVersion } } } }"
    ),
    "Experiment.runs": "experiments(first: 1000) { nodes { runs(first: 1000) { nodes { %Run } } } }",
    "Experiment.loggedModels": "experiments { nodes { loggedModels { nodes { %LoggedModel } } } }",
    "Run.children": "runs(first: 1000) { nodes { %Run children { nodes { %Run } } } }",
    "Run.loggedModels": "runs(first: 1000) { nodes { %Run loggedModels { %LoggedModel } } }",
    "Run.modelVersions": "runs(first: 1000) { nodes { %Run modelVersions { %ModelVersion } } }",
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


@dataclass(frozen=True, slots=True)
class Filled:
    """A store, MLflow's client of its runs and models, and the id of a run."""

    store: Store
    client: MlflowClient
    run: str

    def add(self, name: str) -> None:
        """Add something of each kind with a name, as far as MLflow accepts it."""
        client = self.client
        experiment = _unless_refused(client.create_experiment, name) or "0"
        parent = _unless_refused(client.create_run, experiment, run_name=name)
        if parent is None:
            return
        run: str = parent.info.run_id
        client.create_run(experiment, run_name=name, tags={"mlflow.parentRunId": run})
        # Half of the names are of prompts, where the store has them.
        has_prompts = self.store.kind in {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
        is_prompt = has_prompts and len(name) % 2
        # Through the store: the client creates prompts with some names only.
        registry = client._get_registry_client().store  # noqa: SLF001
        tags = [RegisteredModelTag(PROMPT_TAG, "true")] if is_prompt else []
        if _unless_refused(registry.create_registered_model, name, tags) is not None:
            # MLflow permits no other source of prompts.
            source = "dummy-source" if is_prompt else f"runs:/{run}/model"
            version_tags = [ModelVersionTag(PROMPT_TAG, "true")] if is_prompt else []
            for _ in range(3):
                registry.create_model_version(name, source, run, version_tags)
            registry.update_model_version(name, "1", "changed last")
        if self.store.kind is not StoreKind.AZURE_ML:
            _unless_refused(client.create_logged_model, experiment, name, run)


@pytest.fixture(
    params=("sqlite", "postgres", "mysql", "file", "server", "mysql_server", "postgres_server", "azure")
)
def filled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Filled:
    """Give each kind of store with something of each kind."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store: Store = request.getfixturevalue(f"{request.param}_store")
    uri = request.getfixturevalue("azure").upstream if request.param == "azure" else store.uri
    client = MlflowClient(uri, uri)
    deleted = client.create_experiment("deleted")
    client.delete_run(client.create_run("0").info.run_id)
    client.create_run(deleted)
    client.delete_experiment(deleted)
    filled = Filled(store, client, client.create_run("0").info.run_id)
    if store.kind is not StoreKind.AZURE_ML:
        client.register_prompt("ask", "Say {{it}}.")
        client.register_prompt("ask", "Say {{it}} again.")
        for name in ("one", "two"):
            client.create_logged_model("0", name, filled.run)
    return filled


@pytest.fixture
async def graphql(filled: Filled) -> AsyncIterator[GraphQLClient]:
    """Give a client of a server over the store."""
    async with graphql_client(filled.store.uri, max_cost=10**9, **UNCACHED) as graphql:
        yield graphql


def _unless_refused(create: Any, *values: Any, **named: Any) -> Any:
    """Return what was created; None if MLflow refuses the name or has it."""
    try:
        return create(*values, **named)
    except (MlflowException, OSError):
        return None


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
    # A subscription has the fields of queries.
    lists = {name for name in _lists_of_nodes() if not name.startswith("Subscription.")}
    assert lists <= {*LISTS, "Query.nodes"}


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


@settings(IN_ONE_STORE, max_examples=4)
@given(names=st.lists(any_name, min_size=6, max_size=6, unique=True))
@example(names=NAMES)
async def test_what_a_list_returns_is_found(graphql: GraphQLClient, filled: Filled, names: list[str]) -> None:
    """`node` and the lookups by id and by name return each object of any list, whatever its name."""
    for name in names:
        filled.add(name)
    nodes: dict[str, dict[str, Any]] = {}
    for template in LISTS.values():
        nodes |= {node["id"]: node for node in await _listed(graphql, template, filled.run)}
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = (await graphql.data(query, ids=list(nodes)))["nodes"]
    assert found == [{key: node[key] for key in ("__typename", "id")} for node in nodes.values()]
    for node in nodes.values():
        for lookup in LOOKUPS.get(node["__typename"], ()):
            variables = {name: node[name] for name in VARIABLES if f"${name}" in lookup}
            head = ", ".join(f"${name}: {VARIABLES[name]}" for name in variables)
            query = f"query ({head}) {{ {lookup} {{ id }} }}"
            assert list((await graphql.data(query, **variables)).values()) == [{"id": node["id"]}], node


async def test_versions_are_the_latest_first(graphql: GraphQLClient, filled: Filled) -> None:
    """Versions are sorted from the latest to the first, also after an older one was changed, and counted."""
    for name in NAMES:
        filled.add(name)
    query = """query ($filter: String) { registeredModels(first: 1000, filter: $filter) {
        nodes { name versions { totalCount nodes { version } } } } }"""
    models = (await graphql.data(query))["registeredModels"]["nodes"]
    if filled.store.kind in {StoreKind.SQL, StoreKind.MLFLOW_SERVER}:
        prompts = (await graphql.data(query, filter=PROMPTS))["registeredModels"]["nodes"]
        assert {prompt["name"] for prompt in prompts} >= {"ask", "plain", 'it\'s "both"'}
        models += prompts
    for model in models:
        count = 2 if model["name"] == "ask" else 3
        versions = [int(version["version"]) for version in model["versions"]["nodes"]]
        assert (model["versions"]["totalCount"], versions) == (count, list(range(count, 0, -1))), model
    query = "{ runs(first: 1000) { nodes { modelVersions { name version } } } }"
    for run in (await graphql.data(query))["runs"]["nodes"]:
        keys = [(version["name"], -int(version["version"])) for version in run["modelVersions"]]
        assert keys == sorted(keys)


async def test_pages_of_versions_follow_each_other(graphql: GraphQLClient, filled: Filled) -> None:
    """Pages of one version each have all versions, the latest first."""
    filled.add("plain")
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
