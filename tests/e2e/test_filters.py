"""Filter strings have one meaning on each kind of store."""

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from schema.ports.store_kind import StoreKind
from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store


@pytest.fixture(
    params=("sqlite", "postgres", "mysql", "file", "server", "mysql_server", "postgres_server", "azure")
)
def filter_store(request: pytest.FixtureRequest) -> Store:
    """Return an empty store of each kind, and MLflow servers over databases that compare differently."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    return store


RUNS = """query ($text: String) {
  runs(experimentNames: ["filtered"], filter: $text) { totalCount nodes { name } }
}"""
EXPERIMENTS = "query ($text: String) { experiments(filter: $text) { totalCount nodes { name } } }"

RUN_FILTERS = {
    "": "abcd",
    "metrics.loss < 1": "a",
    "metrics.loss != 0": "abcd",
    "metrics.loss != 0.5": "bcd",
    "metrics.loss > 1e300": "d",
    "metrics.loss >= 1e400": "d",
    "metrics.loss < 1e400": "ab",
    "start_time < 1e400": "abcd",
    "start_time > 1e400": "",
    "start_time > 1001.5": "cd",
    "attributes.start_time <= 1001": "ab",
    "created = 1003.0": "d",
    "metrics.loss <= 5e-1": "a",
    "metrics.loss < 1e+3": "ab",
    "metrics.loss < 1.5E+0": "a",
    "start_time < 1.002E+3": "ab",
    "metrics.loss > -1e+3": "abd",
    "params.opt IS NULL": "d",
    "params.opt IS NOT NULL and tags.team = 'red'": "ac",
    "params.`opt` != 'sgd' run.run_name LIKE '_'": "ab",
    "params.nothing = 'a' AND params.layers[0] IS NULL": "",
    "tags.team != 'red' AND params.opt LIKE 'A%'": "b",
    "params.opt ilike 'adam' metrics.loss > 0": "ab",
    'run_name = "it\'s"': "",
}
"""Filters, and the names of the runs that match."""


def _fill(store: Store) -> str:
    client = store.client
    experiment = client.create_experiment("filtered", tags={"team": "red"})
    losses = {"a": 0.5, "b": 2.0, "c": float("nan"), "d": float("inf")}
    for number, (name, loss) in enumerate(losses.items()):
        run = client.create_run(experiment, start_time=1000 + number, run_name=name).info.run_id
        client.log_metric(run, "loss", loss)
        client.set_tag(run, "team", ["red", "blue"][number % 2])
        if name != "d":
            client.log_param(run, "opt", ["Adam", "Adam", "sgd"][number])
    return experiment


EXPERIMENT_FILTERS = {
    "name = 'filtered'": ["filtered"],
    "name like 'FILTER%'": [],
    "name ilike 'FILTER%' AND creation_time < 1e400": ["filtered"],
    "attribute.name != 'Default' AND last_update_time > 0.5": ["filtered"],
    "experiment_id = '{id}'": ["filtered"],
    "experiment_id != '{id}'": ["Default"],
    "experiment_id IN ('{id}', '0') AND name LIKE 'f%'": ["filtered"],
    "tags.team = 'red'": ["filtered"],
    "tags.team IS NULL": ["Default"],
}
"""Filters, and the names of the experiments that match; {id} is the id of one of them."""


TEXTS = {"a": "a\\b", "b": "A\\B", "c": "a_b", "d": "aäb", "e": "ab", "f": "a\nb", "g": "a%b"}
"""The values of a param, a tag and a name, by run."""
PATTERNS = {
    "a\\b": "a",
    "a\\_": "a",
    "a\\%": "a",
    "%\\%": "ab",
    "%\\": "",
    "a_b": "acdfg",
    "a__": "acdfg",
    "a\\_b": "",
    "a%b": "acdefg",
    "A%": "b",
}
"""Patterns of LIKE, and the runs that match."""
IGNORING_CASE = {"A\\b": "ab", "a\\_": "ab", "A_B": "abcdfg", "AÄB": "", "AäB": "d", "%\\%": "ab"}
"""Patterns of ILIKE, and the runs that match: A to Z only are folded."""


async def test_pattern_has_one_meaning(filter_store: Store) -> None:
    """A backslash in a pattern is a character, _ is one character, and LIKE respects case, on each store."""
    client = filter_store.client
    experiment = client.create_experiment("filtered")
    for name, text in TEXTS.items():
        run = client.create_run(experiment, run_name=text, tags={"t": text, "n": name}).info.run_id
        client.log_param(run, "p", text)
    query = """query ($text: String) { runs(experimentNames: ["filtered"], filter: $text) {
        totalCount nodes { tag(key: "n") } } }"""
    async with graphql_client(filter_store.uri) as graphql:
        for operator, patterns in (("LIKE", PATTERNS), ("ILIKE", IGNORING_CASE)):
            for pattern, names in patterns.items():
                for key in ("params.p", "tags.t", "run_name", "attributes.`run_name`"):
                    text = f"{key} {operator} '{pattern}'"
                    runs = (await graphql.data(query, text=text))["runs"]
                    assert sorted(run["tag"] for run in runs["nodes"]) == list(names), text
                    assert runs["totalCount"] == len(names), text


async def test_key_of_a_filter_has_one_case(filter_store: Store) -> None:
    """A key in another case, a name in another case and a value in another case do not match."""
    client = filter_store.client
    experiment = client.create_experiment("filtered")
    run = client.create_run(experiment, run_name="Name", tags={"Tag": "Value"}).info.run_id
    client.log_param(run, "Param", "Value")
    async with graphql_client(filter_store.uri) as graphql:
        for text, count in {
            "params.Param = 'Value'": 1,
            "params.param = 'Value'": 0,
            "params.Param = 'value'": 0,
            "params.Param != 'value'": 1,
            "params.param != 'x'": 0,
            "tags.tag = 'Value'": 0,
            "tags.Tag LIKE 'v%'": 0,
            "tags.tag LIKE 'V%'": 0,
            "run_name = 'name'": 0,
            "run_name != 'name'": 1,
            "params.param IS NULL": 1,
            "tags.tag IS NOT NULL": 0,
        }.items():
            runs = (await graphql.data(RUNS, text=text))["runs"]
            assert runs["totalCount"] == len(runs["nodes"]) == count, text


async def test_groups_of_a_filter_leave_out_nan(store: Store) -> None:
    """`runGroups` counts the runs that the filter finds: a NaN matches != only."""
    _fill(store)
    query = """query ($text: String) { runGroups(
        experimentNames: ["filtered"], filter: $text, groupBy: [{tag: "team"}]) { count } }"""
    async with graphql_client(store.uri) as graphql:
        for text, names in RUN_FILTERS.items():
            groups = (await graphql.data(query, text=text))["runGroups"]
            assert sum(group["count"] for group in groups) == len(names), text


async def test_filter_of_runs_has_one_meaning(store: Store) -> None:
    """Each filter finds the same runs, whichever version of MLflow the store has."""
    _fill(store)
    async with graphql_client(store.uri) as graphql:
        for text, names in RUN_FILTERS.items():
            runs = (await graphql.data(RUNS, text=text))["runs"]
            assert sorted(run["name"] for run in runs["nodes"]) == list(names), text
            assert runs["totalCount"] == len(names), text


async def test_filter_of_experiments_has_one_meaning(store: Store) -> None:
    """Each filter finds the same experiments, whichever version of MLflow the store has."""
    id_ = _fill(store)
    async with graphql_client(store.uri) as graphql:
        for template, names in EXPERIMENT_FILTERS.items():
            text = template.replace("{id}", id_)
            experiments = (await graphql.data(EXPERIMENTS, text=text))["experiments"]
            assert [experiment["name"] for experiment in experiments["nodes"]] == names, text
            assert experiments["totalCount"] == len(names), text


MODELS: dict[str, dict[str, str]] = {
    "Net": {"Team": "Red"},
    "a\\b": {"Team": "a\\b", "u": "x"},
    "a_b": {"Team": "a_b"},
    "aäb": {"team": "red"},
    "it's": {},
}
"""Registered models and their tags."""
MODEL_FILTERS: dict[str, list[str]] = {
    "name = 'net'": [],
    "name != 'net'": list(MODELS),
    "name LIKE 'n%'": [],
    "name ILIKE 'n%'": ["Net"],
    "name LIKE 'a\\_'": ["a\\b"],
    "name LIKE 'a_b'": ["a\\b", "a_b", "aäb"],
    "name ILIKE 'AÄB'": [],
    "name IN ('net', 'a_b', \"it's\")": ["a_b", "it's"],
    "name NOT IN ('NET', 'a_b')": ["Net", "a\\b", "aäb", "it's"],
    'name = "it\'s"': ["it's"],
    "tags.Team = 'red'": [],
    "tags.team = 'red'": ["aäb"],
    "tags.Team != 'red'": ["Net", "a\\b", "a_b"],
    "tags.Team LIKE 'a\\_'": ["a\\b"],
    "tags.Team LIKE 'a_b' AND tags.u = 'x'": ["a\\b"],
    "tags.Team LIKE 'r%'": [],
    "tags.Team ILIKE 'r%' AND name LIKE '%t'": ["Net"],
    "tags.TEAM = 'Red'": [],
    "tags.`mlflow.prompt.is_prompt` != 'true' AND name = 'Net'": ["Net"],
}
"""Filters, and the names of the models that match, by name."""


async def test_filter_of_models_has_one_meaning(filter_store: Store, request: pytest.FixtureRequest) -> None:
    """Each filter finds the same registered models, sorted by code point, on each store."""
    is_azure = filter_store.kind is StoreKind.AZURE_ML
    uri = request.getfixturevalue("azure").upstream if is_azure else filter_store.uri
    client = MlflowClient(uri, uri)
    for name, tags in MODELS.items():
        client.create_registered_model(name, tags)
    query = """query ($text: String, $after: String) {
        registeredModels(first: 2, after: $after, filter: $text) {
        totalCount nodes { name } pageInfo { hasNextPage endCursor } } }"""
    async with graphql_client(filter_store.uri) as graphql:
        for text, names in {"": list(MODELS), **MODEL_FILTERS}.items():
            found, after = [], None
            while True:
                page = (await graphql.data(query, text=text, after=after))["registeredModels"]
                found += [model["name"] for model in page["nodes"]]
                assert page["totalCount"] == len(names), text
                after = page["pageInfo"]["endCursor"]
                if not page["pageInfo"]["hasNextPage"]:
                    break
            assert found == names, text


DATASETS: dict[str, list[tuple[str, str, str | None]]] = {
    "a": [("Digits", "d1", "train"), ("other", "d2", "test")],
    "b": [("a\\b", "D1", "Train")],
    "c": [("a_b", "d3", None)],
    "d": [],
}
"""The names, digests and contexts of datasets, by run."""
DATASET_FILTERS = {
    "dataset.name = 'Digits'": "a",
    "dataset.name = 'digits'": "",
    "dataset.name != 'digits'": "abc",
    "datasets.name LIKE 'd%'": "",
    "dataset.name ILIKE 'd%'": "a",
    "dataset.name LIKE 'a\\_'": "b",
    "dataset.name LIKE 'a_b'": "bc",
    "dataset.digest = 'd1'": "a",
    "dataset.digest IN ('d1', 'd3')": "ac",
    "dataset.digest NOT IN ('d1')": "abc",
    "dataset.context = 'train'": "a",
    "dataset.context != 'train'": "ab",
    "dataset.context LIKE '%'": "ab",
    "dataset.name = 'Digits' AND dataset.context = 'test'": "a",
    "dataset.name NOT IN ('digits') AND run_name = 'a'": "a",
    "dataset.name LIKE '%' AND metrics.m >= 1": "bc",
}
"""Filters, and the names of the runs that match."""


async def test_filter_of_datasets_has_one_meaning(filter_store: Store) -> None:
    """Comparisons with datasets find the same runs on each store that has datasets; others refuse them."""
    client = filter_store.client
    experiment = client.create_experiment("filtered")
    for number, (name, datasets) in enumerate(DATASETS.items()):
        run = client.create_run(experiment, run_name=name).info.run_id
        client.log_metric(run, "m", number)
        inputs = [
            DatasetInput(
                Dataset(dataset, digest, "local", "{}"),
                [InputTag(MLFLOW_DATASET_CONTEXT, context)] if context else [],
            )
            for dataset, digest, context in datasets
        ]
        if inputs:
            client.log_inputs(run, inputs)
    async with graphql_client(filter_store.uri) as graphql:
        for text, names in DATASET_FILTERS.items():
            if filter_store.kind is StoreKind.AZURE_ML:
                errors = (await graphql.response(RUNS, text=text)).json()["errors"]
                assert errors[0]["extensions"]["code"] == "UNSUPPORTED_BY_STORE"
                continue
            runs = (await graphql.data(RUNS, text=text))["runs"]
            assert sorted(run["name"] for run in runs["nodes"]) == list(names), text
            assert runs["totalCount"] == len(names), text
