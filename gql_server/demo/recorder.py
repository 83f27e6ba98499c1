"""Log runs through MLflow's client, with fixed dates and whole metric histories at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow.entities import Metric, Param
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
    MLFLOW_USER,
)

from gql_server.runtime.temporary_folder import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

# MLflow rejects more metrics in one call.
_MAX_BATCH = 1000

_TAGS = {MLFLOW_USER: "demo", MLFLOW_SOURCE_NAME: "gql_server.demo", MLFLOW_SOURCE_TYPE: "LOCAL"}

History = dict[str, list[float]]


def six_digits(value: float) -> float:
    """Round to six significant digits, so that the C libraries of all machines give the same value."""
    return float(f"{value:.6g}")


@dataclass(frozen=True)
class RunRecorder:
    """Logs one run. ``start_time`` is in milliseconds since 1970, and a step takes ``step_ms``."""

    client: MlflowClient
    run_id: str
    start_time: int
    step_ms: int

    def log_history(self, history: History) -> None:
        """Log each list of ``history`` as the points of a metric, from step 0 on."""
        metrics = [
            Metric(key, six_digits(value), self.step_time(step), step)
            for key, values in history.items()
            for step, value in enumerate(values)
        ]
        for first in range(0, len(metrics), _MAX_BATCH):
            self.client.log_batch(self.run_id, metrics=metrics[first : first + _MAX_BATCH])

    def log_metrics(
        self,
        values: Mapping[str, float],
        *,
        step: int,
        model: LoggedModel | None = None,
        data: DatasetInput | None = None,
    ) -> None:
        """Log one point of each metric, linked to ``model`` and ``data`` if they are given."""
        links = {"model_id": model.model_id} if model else {}
        if data:
            links |= {"dataset_name": data.dataset.name, "dataset_digest": data.dataset.digest}
        metrics = [Metric(k, six_digits(v), self.step_time(step), step, **links) for k, v in values.items()]
        self.client.log_batch(self.run_id, metrics=metrics)

    def log_files(self, contents: Mapping[str, str | bytes]) -> None:
        """Log each item as an artifact; its key is the path, with ``/`` as separator."""
        with temporary_folder("demo") as folder:
            for name, content in contents.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            self.client.log_artifacts(self.run_id, str(folder))

    def log_inputs(self, *inputs: DatasetInput) -> None:
        """Link the run to the data sets that it used."""
        self.client.log_inputs(self.run_id, datasets=list(inputs))

    def end(self, status: str = "FINISHED", *, step: int) -> None:
        """End the run at the end of its last step."""
        self.client.set_terminated(self.run_id, status, end_time=self.step_time(step + 1))

    def step_time(self, step: int) -> int:
        """Return the time at which ``step`` starts, in milliseconds since 1970."""
        return self.start_time + step * self.step_ms


class Recorder:
    """Creates experiments and runs in one store."""

    def __init__(self, client: MlflowClient, artifacts: Path) -> None:
        """Log through ``client``; each experiment stores its artifacts in a folder of ``artifacts``."""
        self.client = client
        self._artifacts = artifacts

    def create_experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """Create an experiment and return its id."""
        return self.client.create_experiment(name, (self._artifacts / name).as_uri(), dict(tags))

    def start_run(
        self,
        experiment_id: str,
        name: str,
        *,
        start: int,
        step_ms: int,
        params: Mapping[str, object],
        tags: Mapping[str, str] | None = None,
        parent: RunRecorder | None = None,
    ) -> RunRecorder:
        """Start a run, as a child of ``parent`` if it is given."""
        parent_tag = {MLFLOW_PARENT_RUN_ID: parent.run_id} if parent else {}
        run = self.client.create_run(experiment_id, start, {**_TAGS, **parent_tag, **(tags or {})}, name)
        values = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run.info.run_id, params=values)
        return RunRecorder(self.client, run.info.run_id, start, step_ms)
