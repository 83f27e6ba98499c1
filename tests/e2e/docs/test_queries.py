"""docs/queries.md, run."""

import re

import pytest

from tests.support.demo_store import Demo
from tests.support.docs_examples import DOCS, Example, examples
from tests.support.graphql_client import graphql_client

EXAMPLES = examples("queries.md")


@pytest.fixture(scope="module")
def ids(demo: Demo) -> dict[str, str]:
    """Give the ids of the demo's runs and logged models, by what the page has in their place."""
    experiments = demo.client.search_experiments()
    runs = (run.items() for run in (demo.runs(experiment.name) for experiment in experiments))
    models = demo.client.search_logged_models([experiment.experiment_id for experiment in experiments])
    found = {f"RUN({name})": run.info.run_id for some in runs for name, run in some}
    return found | {f"MODEL({model.name})": model.model_id for model in models}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_each_query_has_the_answer_that_is_shown(
    demo: Demo, ids: dict[str, str], example: Example
) -> None:
    """A query of the page, pasted, gives the page's answer."""
    async with graphql_client(demo.uri) as ask:
        data = await ask.data(example.query, **example.asked(ids))
    assert {"data": data} == example.expected(ids)


def test_each_query_is_run() -> None:
    """No query of the page goes without an answer."""
    text = (DOCS / "queries.md").read_text(encoding="utf-8")
    assert len(EXAMPLES) == len(re.findall("```graphql", text)) > 20
