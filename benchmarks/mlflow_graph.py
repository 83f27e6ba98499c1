"""The workloads as far as MLflow's own POST /graphql answers them.

It finds no experiments: their ids are given here. It has one history field, which samples: no run gets
more than 2,500 points of a metric. Metrics have to be named, ten root fields or aliases a request.
"""

from typing import Any

import orjson

from benchmarks.client import Client
from benchmarks.workload import KEY, RUNS_PAGE, Workload

SAMPLED_POINTS = 2500
_ALIASES = 10
_W1 = """runs%d: mlflowSearchRuns(input: {experimentIds: ["%s"], maxResults: %d}) { runs {
    info { runId runName status startTime endTime }
    data { params { key value } metrics { key value step } } } }"""
_NAME = 'name%d: mlflowGetExperiment(input: {experimentId: "%s"}) { experiment { name } }'
_IDS = '{ mlflowSearchRuns(input: {experimentIds: ["%s"], maxResults: %d}) { runs { info { runId } } } }'
_HISTORY = """metric%d: mlflowGetMetricHistoryBulkInterval(input: {runIds: %s, metricKey: "%s"}) {
    metrics { runId step timestamp value } }"""


class MlflowGraph:
    """Requests to one `mlflow server`."""

    def __init__(
        self, client: Client, experiment_ids: list[str], experiment_id: str, keys: list[str]
    ) -> None:
        self._client = client
        self._experiment_ids = experiment_ids
        self._experiment_id = experiment_id
        self._keys = keys

    def answer(self, workload: Workload) -> int:
        """Answer a workload; return how many runs or points came."""
        self._client.connect()
        if workload.name == "W1":
            return self._w1()
        return self._histories(self._keys if workload.name == "W2" else [KEY])

    def _w1(self) -> int:
        self._ask([_NAME % pair for pair in enumerate(self._experiment_ids)])
        found = self._ask([_W1 % (*pair, RUNS_PAGE) for pair in enumerate(self._experiment_ids)])
        return sum(len(answer["runs"]) for answer in found)

    def _histories(self, keys: list[str]) -> int:
        (found,) = self._post(_IDS % (self._experiment_id, RUNS_PAGE)).values()
        ids = orjson.dumps([run["info"]["runId"] for run in found["runs"]]).decode()
        answers = self._ask([_HISTORY % (number, ids, key) for number, key in enumerate(keys)])
        return sum(len(answer["metrics"]) for answer in answers)

    def _ask(self, fields: list[str]) -> list[dict[str, Any]]:
        parts = [fields[start : start + _ALIASES] for start in range(0, len(fields), _ALIASES)]
        return [answer for part in parts for answer in self._post(f"{{{' '.join(part)}}}").values()]

    def _post(self, document: str) -> dict[str, Any]:
        answer = orjson.loads(self._client.post("/graphql", {"query": document}))
        if answer.get("errors"):
            raise RuntimeError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data
