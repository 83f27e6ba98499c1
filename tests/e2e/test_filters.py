"""Filter strings have one meaning on each kind of store."""

from tests.support.app.graphql_client import graphql_client
from tests.support.stores.store import Store

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
