"""Experiment "spirals-mlp": small networks on two spirals, with runs in every status.

Two finished networks become logged models and the two versions of a registered model. Of the other runs one
is killed, one running, one scheduled and one deleted, and one evaluates the champion.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlflow.entities import LoggedModel, LoggedModelInput, LoggedModelOutput
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS, MLFLOW_RUN_NOTE

from gql_server.demo.dates import timestamp
from gql_server.demo.model.folder import write_model_folder
from gql_server.demo.png import line_plot
from gql_server.demo.points import LabelledPoint, dataset_input, spirals
from gql_server.demo.recorder import Recorder, RunRecorder
from gql_server.demo.training import Training, random_network, score
from gql_server.runtime.temporary_folder import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gql_server.demo.model.spiral_mlp import SpiralMLP

EXPERIMENT = "spirals-mlp"
REGISTERED_MODEL = "spirals-classifier"
ALIAS = "champion"
EPOCHS = 400
RUNS = 8

_STEP_MS = 500
_TAGS = {MLFLOW_RUN_NOTE: "How many hidden units do two spirals need?", "team": "shapes"}
_CHAMPION = "tanh-24"


@dataclass(frozen=True)
class PlannedRun:
    """One planned run: its network, how many of the 400 epochs it trains, and its status."""

    activation: str
    hidden: int
    rate: float
    epochs: int
    status: str
    version: bool = False

    @property
    def name(self) -> str:
        """The run's name."""
        return f"{self.activation}-{self.hidden}"


PLANS = (
    PlannedRun("tanh", 8, 0.1, EPOCHS, "FINISHED"),
    PlannedRun("relu", 16, 0.03, 260, "KILLED"),
    PlannedRun("tanh", 16, 0.1, EPOCHS, "FINISHED", version=True),
    PlannedRun("tanh", 24, 0.1, EPOCHS, "FINISHED", version=True),
    PlannedRun("tanh", 48, 0.1, 150, "RUNNING"),
    PlannedRun("tanh", 64, 0.1, 0, "SCHEDULED"),
)


@dataclass(frozen=True)
class _SpiralsStudy:
    recorder: Recorder
    experiment: str
    train: list[LabelledPoint]
    val: list[LabelledPoint]
    test: list[LabelledPoint]

    def start_run(self, plan: PlannedRun, name: str, minute: int) -> RunRecorder:
        params = {
            "activation": plan.activation,
            "hidden": plan.hidden,
            "lr": plan.rate,
            "epochs": EPOCHS,
            "seed": 3,
        }
        run = self.recorder.start_run(
            self.experiment, name, start=timestamp(2, minute), step_ms=_STEP_MS, params=params
        )
        run.log_inputs(
            dataset_input("spirals-train", self.train, context="training"),
            dataset_input("spirals-val", self.val, context="validation"),
        )
        return run

    def train_and_log(self, plan: PlannedRun, run: RunRecorder) -> SpiralMLP:
        training = Training(random_network(plan.activation, plan.hidden, seed=3), plan.rate)
        training.run(self.train, self.val, epochs=plan.epochs, planned=EPOCHS, seed=5)
        run.log_history(training.history)
        if plan.epochs:
            run.log_files(self._files(plan, training))
        return training.network

    def _files(self, plan: PlannedRun, training: Training) -> dict[str, str | bytes]:
        history = training.history
        predictions = training.network.predict([(sample.x, sample.y) for sample in self.val])
        pairs = zip(self.val, predictions, strict=True)
        rows = [f"{x:.3f},{y:.3f},{label},{predicted}\n" for (x, y, label), predicted in pairs]
        return {
            "notes.txt": f"{plan.name}: {plan.epochs} of {EPOCHS} epochs, {plan.status.lower()}.\n",
            "plots/loss.png": line_plot(history["train/loss"], history["val/loss"]),
            "predictions/val/points.csv": "x,y,label,predicted\n" + "".join(rows),
        }


def record(recorder: Recorder) -> Iterator[str]:
    """Train and log the experiment; yield the name of each run before it starts."""
    study = _SpiralsStudy(
        recorder,
        recorder.create_experiment(EXPERIMENT, _TAGS),
        spirals(160, seed=1),
        spirals(80, seed=2),
        spirals(80, seed=4),
    )
    _register(recorder)
    champion: tuple[LoggedModel, SpiralMLP] | None = None
    for number, plan in enumerate(PLANS):
        yield plan.name
        run = study.start_run(plan, plan.name, 15 * number)
        network = study.train_and_log(plan, run)
        if plan.version:
            champion = _publish(study, plan, run, network), network
        _finish(run, plan)
    yield "evaluate champion"
    if champion:
        _evaluate(study, *champion)
    yield "wrong labels"
    _log_wrong_labels(study)


def _finish(run: RunRecorder, plan: PlannedRun) -> None:
    if plan.status == "SCHEDULED":
        run.client.update_run(run.run_id, plan.status)
    elif plan.status != "RUNNING":
        run.end(plan.status, step=plan.epochs - 1)


def _register(recorder: Recorder) -> None:
    recorder.client.create_registered_model(
        REGISTERED_MODEL, tags={"team": "shapes"}, description="Tells the two arms of a spiral apart."
    )


def _publish(study: _SpiralsStudy, plan: PlannedRun, run: RunRecorder, network: SpiralMLP) -> LoggedModel:
    model = _log_model(study, plan, run, network)
    client = run.client
    version = client.create_model_version(
        REGISTERED_MODEL,
        model.artifact_location,
        run.run_id,
        tags={"hidden": str(plan.hidden)},
        description=f"A network of {plan.hidden} hidden units.",
        await_creation_for=0,
        model_id=model.model_id,
    )
    versions = json.dumps([{"name": REGISTERED_MODEL, "version": str(version.version)}])
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: versions})
    if plan.name == _CHAMPION:
        client.set_registered_model_alias(REGISTERED_MODEL, ALIAS, version.version)
    return model


def _log_model(study: _SpiralsStudy, plan: PlannedRun, run: RunRecorder, network: SpiralMLP) -> LoggedModel:
    client = run.client
    model = client.create_logged_model(
        study.experiment,
        plan.name,
        run.run_id,
        tags={"team": "shapes"},
        params={"activation": plan.activation, "hidden": str(plan.hidden)},
        model_type="classifier",
    )
    with temporary_folder("demo") as scratch:
        write_model_folder(scratch / "model", network, model, run.step_time(plan.epochs))
        client.log_model_artifacts(model.model_id, str(scratch / "model"))
    client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, plan.epochs - 1)])
    test = dataset_input("spirals-test", study.test, context="test")
    run.log_metrics(
        score(network, study.test).as_metrics("test"), step=plan.epochs - 1, model=model, data=test
    )
    return client.finalize_logged_model(model.model_id, "READY")


def _evaluate(study: _SpiralsStudy, model: LoggedModel, network: SpiralMLP) -> None:
    noisy_points = spirals(200, seed=6, noise=0.25)
    data = dataset_input("spirals-noisy", noisy_points, context="evaluation")
    run = study.recorder.start_run(
        study.experiment,
        "evaluate champion",
        start=timestamp(2, 120),
        step_ms=_STEP_MS,
        params={"model": f"{REGISTERED_MODEL}@{ALIAS}"},
    )
    run.log_inputs(data)
    run.client.log_inputs(run.run_id, models=[LoggedModelInput(model.model_id)])
    run.log_metrics(score(network, noisy_points).as_metrics("noisy"), step=0, model=model, data=data)
    run.end(step=0)


def _log_wrong_labels(study: _SpiralsStudy) -> None:
    plan = PlannedRun("tanh", 8, 0.1, 20, "FINISHED")
    swapped = [LabelledPoint(x, y, 1 - label) for x, y, label in study.train]
    mislabelled = _SpiralsStudy(study.recorder, study.experiment, swapped, study.val, study.test)
    run = mislabelled.start_run(plan, "wrong labels", 135)
    mislabelled.train_and_log(plan, run)
    _finish(run, plan)
    run.client.delete_run(run.run_id)
