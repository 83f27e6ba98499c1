"""The workloads with the fewest possible calls to a real `mlflow server`.

The experiments take one call, the runs of each experiment one `runs/search`, and the histories of a metric in
up to 100 runs one `get-history-bulk` (the endpoint of MLflow's UI, which returns at most 25,000 points; the
data set has fewer). Independent calls are concurrent, on as many threads as this server uses by default. Only
the ids that later calls need are parsed.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter

from benchmarks.small_workloads import PAGE
from benchmarks.workload import RUNS_PAGE, Workload
from gql_server.config.settings import Settings

CALLS = {
    "S1": "1 runs/get",
    "S2": "1 runs/search",
    "W1": "1 experiments/search, then 1 runs/search for each experiment",
    "W2": "1 experiments/get-by-name, 1 runs/search, then 1 get-history-bulk for each metric",
    "W3": "1 experiments/get-by-name, 1 runs/search, 1 get-history-bulk",
}
_API = "/api/2.0/mlflow"
_BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
_TIMEOUT_SECONDS = 600.0


class RawCalls:
    """The calls of each workload over one pool of connections."""

    def __init__(self, uri: str) -> None:
        threads = Settings.model_fields["store_threads"].default
        self._uri = uri
        self._pool = ThreadPoolExecutor(threads)
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=threads))

    def close(self) -> None:
        """Stop the threads and close the connections."""
        self._pool.shutdown()
        self._session.close()

    def run(self, workload: Workload) -> int:
        """Make the calls of a workload; return the number of bytes received."""
        methods: dict[str, Any] = {
            "S1": self._s1,
            "S2": self._s2,
            "W1": self._w1,
            "W2": self._w2,
            "W3": self._w3,
        }
        received: list[bytes] = methods[workload.name](**workload.variables)
        return sum(map(len, received))

    def _s1(self, id: str) -> list[bytes]:  # noqa: A002 - the name of the variable
        return [self._get(f"{_API}/runs/get", {"run_id": id})]

    def _s2(self, experiment: str) -> list[bytes]:
        return [self._search(experiment, PAGE)]

    def _w1(self, first: int) -> list[bytes]:
        body = {"filter": "name LIKE 'bench-%'", "max_results": first}
        experiments = self._post("/experiments/search", body)
        ids = [experiment["experiment_id"] for experiment in orjson.loads(experiments)["experiments"]]
        return [experiments, *self._pool.map(self._search, ids)]

    def _w2(self, name: str) -> list[bytes]:
        runs = self._runs(name)
        keys = {metric["key"] for run in runs for metric in run["data"]["metrics"]}
        return self._histories(runs, sorted(keys))

    def _w3(self, name: str, key: str) -> list[bytes]:
        return self._histories(self._runs(name), [key])

    def _runs(self, name: str) -> list[dict[str, Any]]:
        experiment = self._get(f"{_API}/experiments/get-by-name", {"experiment_name": name})
        runs = self._search(orjson.loads(experiment)["experiment"]["experiment_id"])
        return list(orjson.loads(runs)["runs"])

    def _search(self, experiment_id: str, first: int = RUNS_PAGE) -> bytes:
        return self._post("/runs/search", {"experiment_ids": [experiment_id], "max_results": first})

    def _histories(self, runs: list[dict[str, Any]], keys: Iterable[str]) -> list[bytes]:
        ids = [run["info"]["run_id"] for run in runs]
        return list(self._pool.map(lambda key: self._get(_BULK, {"run_id": ids, "metric_key": key}), keys))

    def _post(self, path: str, body: Any) -> bytes:
        return _content(self._session.post(f"{self._uri}{_API}{path}", json=body, timeout=_TIMEOUT_SECONDS))

    def _get(self, path: str, query: dict[str, Any]) -> bytes:
        return _content(self._session.get(f"{self._uri}{path}", params=query, timeout=_TIMEOUT_SECONDS))


def _content(response: requests.Response) -> bytes:
    response.raise_for_status()
    return response.content
