"""The workloads with MLflow's client, in the loops that its users write."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from benchmarks.small_workloads import PAGE
from benchmarks.workload import RUNS_PAGE, Workload


class ClientLoops:
    """Loops over one MlflowClient."""

    def __init__(self, uri: str) -> None:
        self._client = MlflowClient(uri)

    def run(self, workload: Workload) -> int:
        """Run a workload; return the number of runs or points received."""
        methods: dict[str, Any] = {
            "S1": self._s1,
            "S2": self._s2,
            "W1": self._w1,
            "W2": self._w2,
            "W3": self._w3,
        }
        received: list[Any] = methods[workload.name](**workload.variables)
        return len(received)

    def _s1(self, id: str) -> list[Run]:  # noqa: A002 - the name of the variable
        return [self._client.get_run(id)]

    def _s2(self, experiment: str) -> list[Run]:
        return self._search(experiment, PAGE)

    def _w1(self, first: int) -> list[Run]:
        experiments = self._client.search_experiments(filter_string="name LIKE 'bench-%'", max_results=first)
        return [run for experiment in experiments for run in self._search(experiment.experiment_id)]

    def _w2(self, name: str) -> list[Any]:
        pairs = [(run.info.run_id, key) for run in self._runs(name) for key in run.data.metrics]
        return [point for pair in pairs for point in self._client.get_metric_history(*pair)]

    def _w3(self, name: str, key: str) -> list[Any]:
        ids = [run.info.run_id for run in self._runs(name)]
        return [point for run_id in ids for point in self._client.get_metric_history(run_id, key)]

    def _runs(self, name: str) -> list[Run]:
        experiment = self._client.get_experiment_by_name(name)
        return self._search(experiment.experiment_id) if experiment else []

    def _search(self, experiment_id: str, first: int = RUNS_PAGE) -> list[Run]:
        return list(self._client.search_runs([experiment_id], max_results=first))
