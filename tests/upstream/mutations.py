"""Changes that are made through the `mlflow server` of another version."""

from typing import Any

from tests.support.app.graphql_client import graphql_client

_CREATE = 'mutation { createExperiment(input: {name: "written"}) { experiment { experimentId } } }'
_START = """mutation ($id: ID!) {
  startRun(input: {experimentId: $id, name: "started"}) { run { runId } }
}"""
_OF_RUN = {
    "logBatch": """runId: $id, params: [{key: "lr", value: "0.1"}], tags: [{key: "team", value: "vision"}],
      metrics: [{key: "loss", value: 0.5}, {key: "gradient", nonFinite: NAN}]""",
    "setRunTags": 'runId: $id, tags: [{key: "note", value: "größe"}]',
    "deleteRunTags": 'runId: $id, keys: ["note"]',
    "updateRun": 'runId: $id, name: "renamed"',
    "endRun": "runId: $id",
    "deleteRun": "runId: $id",
    "restoreRun": "runId: $id",
}
_OF_EXPERIMENT = {
    "renameExperiment": 'experimentId: $id, name: "renamed"',
    "setExperimentTags": 'experimentId: $id, tags: [{key: "team", value: "vision"}]',
    "deleteExperimentTags": 'experimentId: $id, keys: ["team"]',
    "deleteExperiment": "experimentId: $id",
    "restoreExperiment": "experimentId: $id",
}
_READ = """query ($id: ID!) { run(runId: $id) {
  name status lifecycleStage param(key: "lr") tag(key: "team") note: tag(key: "note")
  metrics { key value nonFinite } experiment { name lifecycleStage }
} }"""
WRITTEN = {
    "name": "renamed",
    "status": "FINISHED",
    "lifecycleStage": "ACTIVE",
    "param": "0.1",
    "tag": "vision",
    "note": None,
    "metrics": [
        {"key": "gradient", "value": None, "nonFinite": "NAN"},
        {"key": "loss", "value": 0.5, "nonFinite": None},
    ],
    "experiment": {"name": "renamed", "lifecycleStage": "ACTIVE"},
}
"""The run after all mutations."""


async def mutate(uri: str) -> tuple[dict[str, str], Any]:
    """Make each mutation on a new experiment and run; return the codes of those that fail, and the run."""
    failed = {}
    async with graphql_client(uri, writable=True) as graphql:
        experiment = (await graphql.data(_CREATE))["createExperiment"]["experiment"]["experimentId"]
        run = (await graphql.data(_START, id=experiment))["startRun"]["run"]["runId"]
        for mutations, target, noun in ((_OF_RUN, run, "run"), (_OF_EXPERIMENT, experiment, "experiment")):
            for name, values in mutations.items():
                document = f"mutation ($id: ID!) {{ {name}(input: {{{values}}}) {{ {noun} {{ name }} }} }}"
                result = (await graphql.response(document, id=target)).json()
                if "errors" in result:
                    failed[name] = result["errors"][0]["extensions"]["code"]
        return failed, (await graphql.data(_READ, id=run))["run"]
