"""Fill an empty database: `python -m tests.upstream.scripts.fill_store URI ARTIFACTS`.

ARTIFACTS is the root of the artifacts. Files and traces are logged if it is a local folder. What the MLflow
that runs this lacks is left out.
"""

import sys
from typing import Any

import mlflow
from mlflow import MlflowClient, entities
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from tests.upstream.scripts.contents import DATASETS, DELETED_EXPERIMENT, EXPERIMENTS, RUNS, RunData
from tests.upstream.scripts.determinism import START, Clock, install


class Filler:
    """Writes everything with one client; `runs` has the ids of the runs by name."""

    def __init__(self, uri: str, artifacts: str, clock: Clock) -> None:
        # Registering a logged model looks it up there, and not in the client's store.
        mlflow.set_tracking_uri(uri)
        # It creates the Default experiment, whose artifacts would otherwise be in the working directory.
        SqlAlchemyStore(uri, f"{artifacts}/default")
        self.client: Any = MlflowClient(uri, uri)
        self.runs: dict[str, str] = {}
        self._artifacts = artifacts
        self._clock = clock

    def fill(self) -> None:
        """Write everything that the client can."""
        for experiment, tags in EXPERIMENTS.items():
            self._experiment(experiment, tags)
        self._registry()
        if hasattr(self.client, "create_logged_model"):
            self._logged_models()
        if hasattr(self.client, "start_trace") and self._artifacts.startswith("/"):
            self._trace()
        if hasattr(self.client, "register_prompt"):
            self._clock.tick()
            self.client.register_prompt("greeting", "Hello {{ name }}", tags={"team": "vision"})
        experiment = self.client.get_experiment_by_name(DELETED_EXPERIMENT)
        self._clock.tick()
        self.client.delete_experiment(experiment.experiment_id)

    def _experiment(self, name: str, tags: dict[str, str]) -> None:
        self._clock.tick()
        location = f"{self._artifacts}/{len(self.runs)}"
        experiment_id = self.client.create_experiment(name, location, tags)
        for data in RUNS[name]:
            self._run(experiment_id, data)

    def _run(self, experiment_id: str, data: RunData) -> None:
        start = START + data.start * 1000
        tags = data.tags | ({"mlflow.parentRunId": self.runs[data.parent]} if data.parent else {})
        run = self.client.create_run(experiment_id, start, tags, data.name)
        run_id = self.runs[data.name] = run.info.run_id
        points = [
            entities.Metric(key, value, start + seconds * 1000, step)
            for key, history in data.metrics.items()
            for step, seconds, value in history
        ]
        params = [entities.Param(key, value) for key, value in data.params.items()]
        self.client.log_batch(run_id, points, params)
        if hasattr(self.client, "log_inputs") and data.datasets:
            self.client.log_inputs(run_id, [_dataset(name, context) for name, context in data.datasets])
        if self._artifacts.startswith("/"):
            self.client.log_text(run_id, f"{data.name}\n", "notes/name.txt")
        if data.end is not None:
            self.client.set_terminated(run_id, data.status, START + data.end * 1000)
        if data.deleted:
            self.client.delete_run(run_id)

    def _registry(self) -> None:
        client, source = self.client, "s3://models/classifier"
        self._clock.tick()
        client.create_registered_model(
            "classifier", {"team": "vision", "ключ": "значение"}, "Classifies спирали"
        )
        client.create_registered_model("größe-модель")
        for number, run in enumerate(["grid", "trial-1", None, "trial-2"], 1):
            self._clock.tick()
            run_id = self.runs[run] if run else None
            client.create_model_version(
                *("classifier", f"{source}/{number}", run_id, {"number": str(number)}),
                description=f"Version {number}" if run else None,
            )
        self._clock.tick()
        client.transition_model_version_stage("classifier", "1", "Archived")
        client.transition_model_version_stage("classifier", "2", "Production")
        client.set_registered_model_alias("classifier", "champion", "2")
        client.set_registered_model_alias("classifier", "challenger", "3")
        client.set_registered_model_alias("classifier", "newest", "3")
        client.delete_model_version("classifier", "4")

    def _logged_models(self) -> None:
        client, grid = self.client, self.runs["grid"]
        experiment_id = client.get_run(grid).info.experiment_id
        net = self._logged_model(experiment_id, "net", grid, {"team": "vision"}, {"depth": "3"}, "classifier")
        self._logged_model(experiment_id, "draft", self.runs["trial-1"])
        apart = self._logged_model(experiment_id, "größe", None, {"ключ": "значение"})
        deleted = self._logged_model(experiment_id, "deleted", grid)
        client.finalize_logged_model(net, "READY")
        client.finalize_logged_model(apart, "FAILED")
        client.delete_logged_model(deleted)
        client.log_outputs(self.runs["trial-1"], [entities.LoggedModelOutput(net, 3)])
        train = {"dataset_name": "train", "dataset_digest": "d1"}
        time = START + 5000
        client.log_metric(grid, "f1", 0.5, timestamp=time, step=1, model_id=net, **train)
        client.log_metric(grid, "f1", 0.75, timestamp=time, step=2, model_id=net, **train)
        client.log_metric(self.runs["trial-1"], "f1", 0.25, timestamp=time, step=0, model_id=net)
        self._clock.tick()
        client.create_registered_model("net")
        client.create_model_version("net", f"models:/{net}", grid, model_id=net)

    def _trace(self) -> None:
        experiment = self.client.get_experiment_by_name("sweep")
        span = self.client.start_trace("predict", inputs={"x": 1}, experiment_id=experiment.experiment_id)
        self.client.end_trace(getattr(span, "trace_id", None) or span.request_id, outputs={"y": 2})
        if hasattr(mlflow, "flush_trace_async_logging"):
            mlflow.flush_trace_async_logging(terminate=True)

    def _logged_model(
        self,
        experiment_id: str,
        name: str,
        source_run_id: str | None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        model_type: str | None = None,
    ) -> str:
        self._clock.tick()
        model = self.client.create_logged_model(experiment_id, name, source_run_id, tags, params, model_type)
        model_id: str = model.model_id
        return model_id


def _dataset(name: str, context: str | None) -> Any:
    tags = [entities.InputTag("mlflow.data.context", context)] if context else []
    return entities.DatasetInput(entities.Dataset(name=name, **DATASETS[name]), tags)


if __name__ == "__main__":
    Filler(sys.argv[1], sys.argv[2], install()).fill()
