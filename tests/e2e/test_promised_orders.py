"""Each list whose description promises an order has it on every store, with ties, missing values and NaN."""

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from graphql import GraphQLObjectType
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Metric

from schema.ports.store_kind import StoreKind
from tests.support.app.artifact_owners import UNCACHED
from tests.support.app.graphql_client import GraphQLClient, graphql_client
from tests.support.schema.document_strategies import SCHEMA
from tests.support.stores.store import Store

KEYS = ("b", "B", "a", "é", "10", "9", "a b", "_")
NAMES = ("zeta", "Alpha", "alpha2", "_x", "éa", "beta 1")
_Key: TypeAlias = Callable[[Any], Any]

ORDERS: dict[str, tuple[str, _Key]] = {
    "Experiment.tags": ("key", lambda item: item["key"]),
    "Experiment.metricKeys": ("", str),
    "Experiment.paramKeys": ("", str),
    "Experiment.tagKeys": ("", str),
    "Run.params": ("key", lambda item: item["key"]),
    "Run.metrics": ("key", lambda item: item["key"]),
    "Run.tags": ("key", lambda item: item["key"]),
    "Run.datasets": ("name digest", lambda item: (item["name"], item["digest"])),
    "Metric.history": ("step timestamp", lambda item: (item["step"], item["timestamp"])),
    "MetricSeries.steps": ("", int),
    "RunComparison.params": ("key", lambda item: item["key"]),
    "RunComparison.metrics": ("key", lambda item: item["key"]),
    "RunComparison.tags": ("key", lambda item: item["key"]),
    "RunGroup.metrics": ("key", lambda item: item["key"]),
    "RegisteredModel.tags": ("key", lambda item: item["key"]),
    "RegisteredModel.aliases": ("alias", lambda item: item["alias"]),
    "ModelVersion.tags": ("key", lambda item: item["key"]),
    "ModelVersion.aliases": ("", str),
    "LoggedModel.params": ("key", lambda item: item["key"]),
    "LoggedModel.tags": ("key", lambda item: item["key"]),
    "LoggedModel.metrics": ("key", lambda item: item["key"]),
    "Run.loggedModels": ("createdAt modelId", lambda item: (_reversed(item["createdAt"]), item["modelId"])),
    "Run.modelVersions": ("name version", lambda item: (item["name"], -int(item["version"]))),
}
"""The fields that a list needs, and the key by which its items are sorted. The key lists have texts."""
CONNECTIONS: dict[str, _Key] = {
    "Query.experiments": lambda item: (_reversed(item["createdAt"]), int(item["experimentId"])),
    "Query.runs": lambda item: (item["startedAt"] is None, _reversed(item["startedAt"]), item["runId"]),
    "Experiment.runs": lambda item: (item["startedAt"] is None, _reversed(item["startedAt"]), item["runId"]),
    "Run.children": lambda item: (item["startedAt"] is None, _reversed(item["startedAt"]), item["runId"]),
    "Query.registeredModels": lambda item: item["name"],
    "RegisteredModel.versions": lambda item: -int(item["version"]),
    "Experiment.loggedModels": lambda item: (_reversed(item["createdAt"]), item["modelId"]),
}
"""The key by which the nodes of a connection are sorted."""
ELSEWHERE = {
    *("Artifact.children", "Run.artifacts", "LoggedModel.artifacts"),
    # tests/gql_server/live/metric_points
    "MetricPointSeries.points",
    *("Query.experimentRows", "Query.runRows", "Query.paramRows", "Query.tagRows", "Query.metricRows"),
    *("Query.metricPointRows", "Query.nodes", "RunComparison.runs", "RunGroup.key"),
    *("MetricComparison.values", "ParamComparison.values"),
}
"""Promises that the tests of artifacts, of flat rows and of comparisons check."""

_MODEL = """modelId createdAt params { key } tags { key } metrics { key }"""
_RUN = f"""runId startedAt params {{ key }} tags {{ key }} datasets {{ name digest }}
  metrics {{ key history {{ step timestamp }} series {{ steps }} }}
  loggedModels {{ {_MODEL} }} modelVersions {{ name version tags {{ key }} aliases }}"""
QUERY = f"""{{
  experiments(first: 100) {{ nodes {{ experimentId createdAt tags {{ key }} metricKeys paramKeys tagKeys
    runs(first: 100) {{ nodes {{ {_RUN} children {{ nodes {{ runId startedAt }} }} }} }}
    loggedModels(first: 100) {{ nodes {{ {_MODEL} }} }} }} }}
  runs(first: 100) {{ nodes {{ runId startedAt }} }}
  registeredModels {{ nodes {{ name tags {{ key }} aliases {{ alias }}
    versions {{ nodes {{ version tags {{ key }} aliases }} }} }} }}
  runGroups {{ metrics {{ key }} }} }}"""


@pytest.fixture(
    params=("sqlite", "postgres", "mysql", "file", "server", "mysql_server", "postgres_server", "azure")
)
def ordered(request: pytest.FixtureRequest) -> tuple[Store, list[str]]:
    """Give each kind of store with several items in each list, in no order, and the ids of two runs."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    is_azure = store.kind is StoreKind.AZURE_ML
    uri = request.getfixturevalue("azure").upstream if is_azure else store.uri
    return store, _fill(store, MlflowClient(uri, uri))


def _fill(store: Store, client: MlflowClient) -> list[str]:
    # MySQL takes keys in another case for the same.
    folds_case = "mysql" in store.name
    keys = [key for key in KEYS if not (folds_case and key == "B")]
    for name in NAMES[::-1]:
        client.create_experiment(name)
    experiment = client.create_experiment("full", tags=dict.fromkeys(keys, "x"))
    create = client._tracking_client.store.create_run  # noqa: SLF001 - the client sets a time
    runs = [create(experiment, "u", start, [], f"r{start}").info.run_id for start in (5, 7, 5, 0, 7, 0)]
    full = runs[0]
    for start in (3, 9, 3):
        child = client.create_run(experiment, start, {"mlflow.parentRunId": full})
        client.log_metric(child.info.run_id, "child", 1.0)
    for key in keys:
        client.log_param(full, key, "1")
        client.set_tag(full, key, "1")
    points = [(2, 7), (1, 9), (1, 3), (2, 7), (-1, 5)]
    client.log_batch(
        full,
        [
            Metric(key, math.nan if index == 2 else float(index), timestamp, step)
            for key in keys
            for index, (step, timestamp) in enumerate(points)
        ],
    )
    if store.kind is not StoreKind.AZURE_ML:
        datasets = [("z", "2"), ("a", "9"), ("z", "1"), ("Zz", "1"), ("é", "0")]
        client.log_inputs(full, [DatasetInput(Dataset(*each, "local", "{}")) for each in datasets])
        for _ in range(4):
            model = client.create_logged_model(
                experiment, "net", full, dict.fromkeys(keys, "x"), dict.fromkeys(keys, "x")
            )
        client.log_batch(full, [Metric(key, 1.0, 1, 1, model.model_id, run_id=full) for key in keys])
    for name in NAMES:
        client.create_registered_model(name, dict.fromkeys(keys, "x"))
        for _ in range(3):
            client.create_model_version(
                name, f"runs:/{full}/model", full, dict.fromkeys(keys, "x"), await_creation_for=0
            )
        for alias in ("z", "b1", "a-1"):
            client.set_registered_model_alias(name, alias, "2")
        client.update_model_version(name, "1", "changed last")
    return runs[:2]


def _reversed(text: str | None) -> list[int]:
    return [-ord(letter) for letter in text or ""]


def _promised() -> set[str]:
    """Return the lists of leaves and objects whose description promises an order, and all connections."""
    found = set()
    for type_ in SCHEMA.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or type_.name.endswith(("Connection", "Edge")):
            continue
        for name, field in type_.fields.items():
            text = (field.description or "").lower()
            is_list = "[" in str(field.type)
            has_order = any(word in text for word in ("sorted", "order", "first", "newest", "latest"))
            if str(field.type).endswith("Connection!") or (is_list and has_order):
                found.add(f"{type_.name}.{name}")
    return found


def test_each_promise_is_tested() -> None:
    """Each list whose description promises an order is checked here or in a test of its own."""
    # A subscription has the fields of queries.
    promised = {name for name in _promised() if not name.startswith("Subscription.")}
    assert promised <= {*ORDERS, *CONNECTIONS, *ELSEWHERE}


def _lists(type_name: str, value: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield each list in an object of a type, with the name of its field."""
    type_ = SCHEMA.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    for name, child in value.items():
        field = str(type_.fields[name].type).replace("[", "").replace("]", "").replace("!", "")
        if isinstance(child, list):
            yield f"{type_name}.{name}", child
        items = child if isinstance(child, list) else [child]
        if field.endswith("Connection"):
            yield f"{type_name}.{name}", child["nodes"]
            items, field = child["nodes"], field.removesuffix("Connection")
        for item in items:
            if isinstance(item, dict):
                yield from _lists(field, item)


async def _checked(graphql: GraphQLClient, query: str) -> dict[str, int]:
    """Check the order of each list of a response, and return the length of the longest list of each field."""
    longest: dict[str, int] = {}
    for name, items in _lists("Query", await graphql.data(query)):
        sort_key = CONNECTIONS.get(name) or (ORDERS[name][1] if name in ORDERS else None)
        if sort_key is not None:
            assert items == sorted(items, key=sort_key), name
        longest[name] = max(len(items), longest.get(name, 0))
    return longest


async def test_each_list_has_its_order(ordered: tuple[Store, list[str]]) -> None:
    """The lists have the promised order, and each has several items."""
    store, runs = ordered
    comparison = f"""{{ compareRuns(runIds: ["{runs[0]}", "{runs[1]}"]) {{
        params {{ key }} metrics {{ key }} tags {{ key }} }} }}"""
    async with graphql_client(store.uri, max_cost=10**8, **UNCACHED) as graphql:
        longest = await _checked(graphql, QUERY) | await _checked(graphql, comparison)
    absent = {name for name in (*ORDERS, *CONNECTIONS) if longest.get(name, 0) < 2}
    models = {name for name in ORDERS | CONNECTIONS if "oggedModel" in name}
    assert absent <= (models | {"Run.datasets"} if store.kind is StoreKind.AZURE_ML else set())
