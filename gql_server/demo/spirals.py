"""Experiment "spirals-mlp": small networks on two spirals, in every state that a run can be in.

Two finished networks become logged models and the two versions of a registered model; of the other runs one
was killed, one is still running, one is scheduled, one is deleted, and one measures the champion.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow.entities import LoggedModel, LoggedModelInput, LoggedModelOutput
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS, MLFLOW_RUN_NOTE

from gql_server.demo.dates import moment
from gql_server.demo.model import folder
from gql_server.demo.network import Training, fresh, scores
from gql_server.demo.png import line_plot
from gql_server.demo.points import Sample, as_input, spirals
from gql_server.demo.recorder import Logbook, RunLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gql_server.demo.model.spiral_mlp import SpiralMLP

EXPERIMENT = "spirals-mlp"
REGISTERED_MODEL = "spirals-classifier"
ALIAS = "champion"
EPOCHS = 400
RUNS = 8

_PACE = 500
_TAGS = {MLFLOW_RUN_NOTE: "How many hidden units do two spirals need?", "team": "shapes"}
_CHAMPION = "tanh-24"


@dataclass(frozen=True)
class Plan:
    """One run to do: its network, how many of the 400 epochs it gets to, and how it ends."""

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
    Plan("tanh", 8, 0.1, EPOCHS, "FINISHED"),
    Plan("relu", 16, 0.03, 260, "KILLED"),
    Plan("tanh", 16, 0.1, EPOCHS, "FINISHED", version=True),
    Plan("tanh", 24, 0.1, EPOCHS, "FINISHED", version=True),
    Plan("tanh", 48, 0.1, 150, "RUNNING"),
    Plan("tanh", 64, 0.1, 0, "SCHEDULED"),
)


@dataclass(frozen=True)
class _Study:
    logbook: Logbook
    experiment: str
    train: list[Sample]
    val: list[Sample]
    test: list[Sample]

    def run(self, plan: Plan, name: str, minute: int) -> RunLog:
        params = {
            "activation": plan.activation,
            "hidden": plan.hidden,
            "lr": plan.rate,
            "epochs": EPOCHS,
            "seed": 3,
        }
        run = self.logbook.run(self.experiment, name, start=moment(2, minute), pace=_PACE, params=params)
        run.reads(
            as_input("spirals-train", self.train, context="training"),
            as_input("spirals-val", self.val, context="validation"),
        )
        return run

    def trained(self, plan: Plan, run: RunLog) -> SpiralMLP:
        training = Training(fresh(plan.activation, plan.hidden, seed=3), plan.rate)
        training.run(self.train, self.val, epochs=plan.epochs, planned=EPOCHS, seed=5)
        run.curves(training.history)
        if plan.epochs:
            run.files(self._files(plan, training))
        return training.network

    def _files(self, plan: Plan, training: Training) -> dict[str, str | bytes]:
        history = training.history
        answers = training.network.predict([(sample.x, sample.y) for sample in self.val])
        pairs = zip(self.val, answers, strict=True)
        rows = [f"{x:.3f},{y:.3f},{label},{answer}\n" for (x, y, label), answer in pairs]
        return {
            "notes.txt": f"{plan.name}: {plan.epochs} of {EPOCHS} epochs, {plan.status.lower()}.\n",
            "plots/loss.png": line_plot(history["train/loss"], history["val/loss"]),
            "predictions/val/points.csv": "x,y,label,predicted\n" + "".join(rows),
        }


def record(logbook: Logbook) -> Iterator[str]:
    """Train and log the experiment; yields each run's name before its work starts."""
    study = _Study(
        logbook,
        logbook.experiment(EXPERIMENT, _TAGS),
        spirals(160, seed=1),
        spirals(80, seed=2),
        spirals(80, seed=4),
    )
    _register(logbook)
    champion: tuple[LoggedModel, SpiralMLP] | None = None
    for number, plan in enumerate(PLANS):
        yield plan.name
        run = study.run(plan, plan.name, 15 * number)
        network = study.trained(plan, run)
        if plan.version:
            champion = _publish(study, plan, run, network), network
        _finish(run, plan)
    yield "evaluate champion"
    if champion:
        _evaluate(study, *champion)
    yield "wrong labels"
    _mistake(study)


def _finish(run: RunLog, plan: Plan) -> None:
    if plan.status == "SCHEDULED":
        run.client.update_run(run.run_id, plan.status)
    elif plan.status != "RUNNING":
        run.end(plan.status, step=plan.epochs - 1)


def _register(logbook: Logbook) -> None:
    logbook.client.create_registered_model(
        REGISTERED_MODEL, tags={"team": "shapes"}, description="Tells the two arms of a spiral apart."
    )


def _publish(study: _Study, plan: Plan, run: RunLog, network: SpiralMLP) -> LoggedModel:
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
    known = json.dumps([{"name": REGISTERED_MODEL, "version": str(version.version)}])
    client.set_logged_model_tags(model.model_id, {MLFLOW_MODEL_VERSIONS: known})
    if plan.name == _CHAMPION:
        client.set_registered_model_alias(REGISTERED_MODEL, ALIAS, version.version)
    return model


def _log_model(study: _Study, plan: Plan, run: RunLog, network: SpiralMLP) -> LoggedModel:
    client = run.client
    model = client.create_logged_model(
        study.experiment,
        plan.name,
        run.run_id,
        tags={"team": "shapes"},
        params={"activation": plan.activation, "hidden": str(plan.hidden)},
        model_type="classifier",
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder.write(Path(scratch, "model"), network, model, run.date(plan.epochs))
        client.log_model_artifacts(model.model_id, str(Path(scratch, "model")))
    client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, plan.epochs - 1)])
    test = as_input("spirals-test", study.test, context="test")
    run.results(scores(network, study.test).named("test"), step=plan.epochs - 1, model=model, data=test)
    return client.finalize_logged_model(model.model_id, "READY")


def _evaluate(study: _Study, model: LoggedModel, network: SpiralMLP) -> None:
    fresh_points = spirals(200, seed=6, noise=0.25)
    data = as_input("spirals-noisy", fresh_points, context="evaluation")
    run = study.logbook.run(
        study.experiment,
        "evaluate champion",
        start=moment(2, 120),
        pace=_PACE,
        params={"model": f"{REGISTERED_MODEL}@{ALIAS}"},
    )
    run.reads(data)
    run.client.log_inputs(run.run_id, models=[LoggedModelInput(model.model_id)])
    run.results(scores(network, fresh_points).named("noisy"), step=0, model=model, data=data)
    run.end(step=0)


def _mistake(study: _Study) -> None:
    plan = Plan("tanh", 8, 0.1, 20, "FINISHED")
    swapped = [Sample(x, y, 1 - label) for x, y, label in study.train]
    wrong = _Study(study.logbook, study.experiment, swapped, study.val, study.test)
    run = wrong.run(plan, "wrong labels", 135)
    wrong.trained(plan, run)
    _finish(run, plan)
    run.client.delete_run(run.run_id)
