"""What the trainings write with: MLflow's own client, with fixed dates and whole curves at a time."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow.entities import Metric, Param
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
    MLFLOW_USER,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, LoggedModel

# MLflow refuses more metrics than this in one call.
_BATCH = 1000

_TAGS = {MLFLOW_USER: "demo", MLFLOW_SOURCE_NAME: "gql_server.demo", MLFLOW_SOURCE_TYPE: "LOCAL"}

History = dict[str, list[float]]


def six_digits(value: float) -> float:
    """Round to six significant digits, which hides how the C libraries of two machines differ."""
    return float(f"{value:.6g}")


@dataclass(frozen=True)
class RunLog:
    """One run that has been started; dates are in milliseconds, and a step takes ``pace`` of them."""

    client: MlflowClient
    run_id: str
    started: int
    pace: int

    def curves(self, history: History) -> None:
        """Log each list of ``history`` as a metric, from step 0 on."""
        metrics = [
            Metric(key, six_digits(value), self.date(step), step)
            for key, values in history.items()
            for step, value in enumerate(values)
        ]
        for first in range(0, len(metrics), _BATCH):
            self.client.log_batch(self.run_id, metrics=metrics[first : first + _BATCH])

    def results(
        self,
        values: Mapping[str, float],
        *,
        step: int,
        model: LoggedModel | None = None,
        data: DatasetInput | None = None,
    ) -> None:
        """Log one point of each metric, as measured of ``model`` on ``data`` where they are named."""
        measured = {"model_id": model.model_id} if model else {}
        if data:
            measured |= {"dataset_name": data.dataset.name, "dataset_digest": data.dataset.digest}
        metrics = [Metric(k, six_digits(v), self.date(step), step, **measured) for k, v in values.items()]
        self.client.log_batch(self.run_id, metrics=metrics)

    def files(self, contents: Mapping[str, str | bytes]) -> None:
        """Log each item as an artifact; a key is its path, with ``/`` between folders."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in contents.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            self.client.log_artifacts(self.run_id, folder)

    def reads(self, *inputs: DatasetInput) -> None:
        """Link the run to the data sets that it used."""
        self.client.log_inputs(self.run_id, datasets=list(inputs))

    def end(self, status: str = "FINISHED", *, step: int) -> None:
        """Close the run with the end of its last step."""
        self.client.set_terminated(self.run_id, status, end_time=self.date(step + 1))

    def date(self, step: int) -> int:
        """Return when ``step`` began."""
        return self.started + step * self.pace


class Logbook:
    """One store being filled."""

    def __init__(self, client: MlflowClient, artifacts: Path) -> None:
        """Write through ``client``, and keep the files of each experiment in a folder of ``artifacts``."""
        self.client = client
        self._artifacts = artifacts

    def experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """Create an experiment and return its id."""
        return self.client.create_experiment(name, (self._artifacts / name).as_uri(), dict(tags))

    def run(
        self,
        experiment_id: str,
        name: str,
        *,
        start: int,
        pace: int,
        params: Mapping[str, object],
        tags: Mapping[str, str] | None = None,
        parent: RunLog | None = None,
    ) -> RunLog:
        """Start a run, under ``parent`` where there is one."""
        linked = {MLFLOW_PARENT_RUN_ID: parent.run_id} if parent else {}
        run = self.client.create_run(experiment_id, start, {**_TAGS, **linked, **(tags or {})}, name)
        texts = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run.info.run_id, params=texts)
        return RunLog(self.client, run.info.run_id, start, pace)
