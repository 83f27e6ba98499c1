"""The examples of docs/queries.md."""

import re

import pytest

from tests.support.app.graphql_client import graphql_client
from tests.support.docs_examples import DOCS, Example, examples
from tests.support.stores.demo_store import Demo

EXAMPLES = examples("queries.md")


@pytest.fixture(scope="module")
def ids(demo: Demo) -> dict[str, str]:
    """Give the ids of the demo's runs and logged models by their placeholders on the page."""
    experiments = demo.client.search_experiments()
    runs = (run.items() for run in (demo.runs(experiment.name) for experiment in experiments))
    models = demo.client.search_logged_models([experiment.experiment_id for experiment in experiments])
    run_ids = {f"RUN({name})": run.info.run_id for some in runs for name, run in some}
    return run_ids | {f"MODEL({model.name})": model.model_id for model in models}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_example_returns_the_documented_result(
    demo: Demo, ids: dict[str, str], example: Example
) -> None:
    """An example of the page returns the result that the page shows."""
    async with graphql_client(demo.uri) as graphql:
        data = await graphql.data(example.query, **example.variables_with(ids))
    assert {"data": data} == example.result_with(ids)


def test_every_example_has_a_result() -> None:
    """Each query of the page has a result."""
    text = (DOCS / "queries.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) == len(re.findall("```graphql", text)) > 20
