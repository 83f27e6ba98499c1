"""The workloads with MLflow's own POST /graphql, as far as it supports them.

It cannot search experiments, so that their ids are given here. Its only history field samples: it returns at
most 2,500 points of a metric of a run. Each metric must be named, and a request may have at most ten root
fields or aliases.
"""

from typing import Any

import orjson

from benchmarks.client import Client
from benchmarks.small_workloads import PAGE
from benchmarks.workload import KEY, RUNS_PAGE, Workload

SAMPLED_POINTS = 2500
_ALIASES = 10
_ONE = """{ mlflowGetRun(input: {runId: "%s"}) { run { info { runId runName status startTime }
    data { params { key value } metrics { key value step } } } } }"""
_RUNS = """runs%d: mlflowSearchRuns(input: {experimentIds: ["%s"], maxResults: %d}) { runs {
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

    def run(self, workload: Workload) -> int:
        """Run a workload; return the number of runs or points received."""
        self._client.connect()
        if workload.name == "S1":
            return len(self._post(_ONE % workload.variables["id"]))
        if workload.name == "S2":
            (result,) = self._query([_RUNS % (0, workload.variables["experiment"], PAGE)])
            return len(result["runs"])
        if workload.name == "W1":
            return self._w1()
        return self._histories(self._keys if workload.name == "W2" else [KEY])

    def _w1(self) -> int:
        self._query([_NAME % pair for pair in enumerate(self._experiment_ids)])
        results = self._query([_RUNS % (*pair, RUNS_PAGE) for pair in enumerate(self._experiment_ids)])
        return sum(len(result["runs"]) for result in results)

    def _histories(self, keys: list[str]) -> int:
        (search,) = self._post(_IDS % (self._experiment_id, RUNS_PAGE)).values()
        ids = orjson.dumps([run["info"]["runId"] for run in search["runs"]]).decode()
        results = self._query([_HISTORY % (number, ids, key) for number, key in enumerate(keys)])
        return sum(len(result["metrics"]) for result in results)

    def _query(self, fields: list[str]) -> list[dict[str, Any]]:
        parts = [fields[start : start + _ALIASES] for start in range(0, len(fields), _ALIASES)]
        return [result for part in parts for result in self._post(f"{{{' '.join(part)}}}").values()]

    def _post(self, document: str) -> dict[str, Any]:
        response = orjson.loads(self._client.post("/graphql", {"query": document}))
        if response.get("errors"):
            raise RuntimeError(response["errors"])
        data: dict[str, Any] = response["data"]
        return data
