"""Experiment "moons-sweep": logistic regression on two moons, over learning rates and L2 penalties.

A parent run has twelve child runs, one for each pair of values. The best child has a child run, which trains
the same values for longer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from gql_server.demo.dates import timestamp
from gql_server.demo.model.spiral_mlp import sigmoid
from gql_server.demo.png import line_plot
from gql_server.demo.points import LabelledPoint, dataset_input, two_moons
from gql_server.demo.recorder import History, Recorder, RunRecorder, six_digits
from gql_server.demo.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.entities import DatasetInput

EXPERIMENT = "moons-sweep"
RUNS = 14
RATES = (0.03, 0.1, 0.3, 1.0)
PENALTIES = (0.0, 0.001, 0.01)
STEPS = 200

_REFIT_STEPS = 500
_STEP_MS = 250
# The parent run takes 26 minutes, as long as its children.
_SWEEP_STEPS = 26 * 60 * 4 - 1
_TAGS = {MLFLOW_RUN_NOTE: "Which learning rate and penalty suit two moons?", "team": "shapes"}


def _features(sample: LabelledPoint) -> list[float]:
    x, y = sample.x, sample.y
    return [1.0, x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y]


@dataclass
class Trial:
    """A logistic regression over the cubic features of a point, trained by gradient descent."""

    rate: float
    penalty: float
    weights: list[float] = field(default_factory=lambda: [0.0] * 10)
    history: History = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The run's name."""
        return f"lr={self.rate:g} l2={self.penalty:g}"

    @property
    def best_f1(self) -> float:
        """The highest F1 score on the validation data, at any step."""
        return max(self.history["val/f1 score"])

    def train(self, train: list[LabelledPoint], val: list[LabelledPoint], steps: int) -> None:
        """Train for ``steps`` steps and append the scores of each step to ``history``."""
        train_rows, val_rows = [_features(sample) for sample in train], [_features(sample) for sample in val]
        train_labels, val_labels = [sample.label for sample in train], [sample.label for sample in val]
        for _ in range(steps):
            outputs = self._outputs(train_rows)
            val_scores = Scores.from_outputs(self._outputs(val_rows), val_labels)
            self._record(Scores.from_outputs(outputs, train_labels), val_scores)
            errors = [output - label for output, label in zip(outputs, train_labels, strict=True)]
            self._descend(train_rows, errors)

    def _outputs(self, rows: list[list[float]]) -> list[float]:
        return [sigmoid(sum(w * v for w, v in zip(self.weights, row, strict=True))) for row in rows]

    def _descend(self, rows: list[list[float]], errors: list[float]) -> None:
        for index, weight in enumerate(self.weights):
            slope = sum(error * row[index] for error, row in zip(errors, rows, strict=True)) / len(rows)
            self.weights[index] = weight - self.rate * (slope + self.penalty * weight)

    def _record(self, train: Scores, val: Scores) -> None:
        for key, value in {"train/loss": train.loss, **val.as_metrics("val")}.items():
            self.history.setdefault(key, []).append(value)


@dataclass(frozen=True)
class _MoonsStudy:
    recorder: Recorder
    experiment: str
    inputs: tuple[DatasetInput, ...]

    def start_run(
        self, name: str, minute: int, params: dict[str, object], parent: RunRecorder | None
    ) -> RunRecorder:
        run = self.recorder.start_run(
            self.experiment, name, start=timestamp(0, minute), step_ms=_STEP_MS, params=params, parent=parent
        )
        run.log_inputs(*self.inputs)
        return run

    def log_trial(self, name: str, minute: int, trial: Trial, parent: RunRecorder) -> RunRecorder:
        steps = len(trial.history["val/loss"])
        params = {"lr": trial.rate, "l2": trial.penalty, "steps": steps, "features": "cubic", "seed": 1}
        run = self.start_run(name, minute, params, parent)
        run.log_history(trial.history)
        weights = "".join(f"{weight:.4f}\n" for weight in trial.weights)
        run.log_files({"weights.txt": weights, "plots/loss.png": line_plot(trial.history["val/loss"])})
        run.end(step=steps - 1)
        return run


def record(recorder: Recorder) -> Iterator[str]:
    """Train and log the experiment; yield the name of each run before it starts."""
    train, val = two_moons(160, seed=1), two_moons(80, seed=2)
    inputs = (
        dataset_input("moons-train", train, context="training"),
        dataset_input("moons-val", val, context="validation"),
    )
    study = _MoonsStudy(recorder, recorder.create_experiment(EXPERIMENT, _TAGS), inputs)
    yield "sweep"
    sweep = study.start_run("sweep", 0, {"rates": RATES, "penalties": PENALTIES}, None)

    trials: list[Trial] = []
    runs: list[RunRecorder] = []
    for rate, penalty in itertools.product(RATES, PENALTIES):
        trial = Trial(rate, penalty)
        yield trial.name
        trial.train(train, val, STEPS)
        runs.append(study.log_trial(trial.name, 1 + 2 * len(runs), trial, sweep))
        trials.append(trial)
    best = max(trials, key=lambda trial: trial.best_f1)
    _summarise(sweep, trials, best)

    yield "refit"
    refit = Trial(best.rate, best.penalty)
    refit.train(train, val, _REFIT_STEPS)
    study.log_trial("refit", 30, refit, runs[trials.index(best)])


def _summarise(sweep: RunRecorder, trials: list[Trial], best: Trial) -> None:
    sweep.log_metrics({"best/f1 score": best.best_f1, "trials": len(trials)}, step=0)
    rows = [f"{t.rate:g},{t.penalty:g},{six_digits(t.best_f1):g}\n" for t in trials]
    curves = [trial.history["val/loss"] for trial in trials if trial.penalty == best.penalty]
    sweep.log_files(
        {
            "report.txt": f"Best of {len(trials)}: {best.name}, F1 {best.best_f1:.3f}.\n",
            "tables/sweep.csv": "lr,l2,best val/f1 score\n" + "".join(rows),
            "plots/val/loss.png": line_plot(*curves),
        }
    )
    sweep.end(step=_SWEEP_STEPS)
