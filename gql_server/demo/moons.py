"""Experiment "moons-sweep": logistic regression on two moons, learning rate against L2 penalty.

A parent run holds twelve children, one per pair of settings; the best child has a child of its own, trained
again for longer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from gql_server.demo.dates import moment
from gql_server.demo.model.spiral_mlp import sigmoid
from gql_server.demo.png import line_plot
from gql_server.demo.points import Sample, as_input, two_moons
from gql_server.demo.recorder import History, Logbook, RunLog, six_digits
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
_PACE = 250
# The sweep lasts for 26 minutes, as long as its children.
_SWEEP_STEPS = 26 * 60 * 4 - 1
_TAGS = {MLFLOW_RUN_NOTE: "Which learning rate and penalty suit two moons?", "team": "shapes"}


def _features(sample: Sample) -> list[float]:
    x, y = sample.x, sample.y
    return [1.0, x, y, x * x, x * y, y * y, x * x * x, x * x * y, x * y * y, y * y * y]


@dataclass
class Trial:
    """One logistic regression over the cubic features of a point, trained by plain gradient descent."""

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

    def train(self, train: list[Sample], val: list[Sample], steps: int) -> None:
        """Descend ``steps`` times and keep the scores of each step in ``history``."""
        seen, unseen = [_features(sample) for sample in train], [_features(sample) for sample in val]
        labels, hidden_labels = [sample.label for sample in train], [sample.label for sample in val]
        for _ in range(steps):
            outputs = self._outputs(seen)
            self._note(Scores.of(outputs, labels), Scores.of(self._outputs(unseen), hidden_labels))
            self._descend(seen, [output - label for output, label in zip(outputs, labels, strict=True)])

    def _outputs(self, rows: list[list[float]]) -> list[float]:
        return [sigmoid(sum(w * v for w, v in zip(self.weights, row, strict=True))) for row in rows]

    def _descend(self, rows: list[list[float]], errors: list[float]) -> None:
        for index, weight in enumerate(self.weights):
            slope = sum(error * row[index] for error, row in zip(errors, rows, strict=True)) / len(rows)
            self.weights[index] = weight - self.rate * (slope + self.penalty * weight)

    def _note(self, train: Scores, val: Scores) -> None:
        for key, value in {"train/loss": train.loss, **val.named("val")}.items():
            self.history.setdefault(key, []).append(value)


@dataclass(frozen=True)
class _Study:
    logbook: Logbook
    experiment: str
    inputs: tuple[DatasetInput, ...]

    def run(self, name: str, minute: int, params: dict[str, object], parent: RunLog | None) -> RunLog:
        run = self.logbook.run(
            self.experiment, name, start=moment(0, minute), pace=_PACE, params=params, parent=parent
        )
        run.reads(*self.inputs)
        return run

    def trial(self, name: str, minute: int, trial: Trial, parent: RunLog) -> RunLog:
        steps = len(trial.history["val/loss"])
        params = {"lr": trial.rate, "l2": trial.penalty, "steps": steps, "features": "cubic", "seed": 1}
        run = self.run(name, minute, params, parent)
        run.curves(trial.history)
        weights = "".join(f"{weight:.4f}\n" for weight in trial.weights)
        run.files({"weights.txt": weights, "plots/loss.png": line_plot(trial.history["val/loss"])})
        run.end(step=steps - 1)
        return run


def record(logbook: Logbook) -> Iterator[str]:
    """Train and log the experiment; yields each run's name before its work starts."""
    train, val = two_moons(160, seed=1), two_moons(80, seed=2)
    inputs = (
        as_input("moons-train", train, context="training"),
        as_input("moons-val", val, context="validation"),
    )
    study = _Study(logbook, logbook.experiment(EXPERIMENT, _TAGS), inputs)
    yield "sweep"
    sweep = study.run("sweep", 0, {"rates": RATES, "penalties": PENALTIES}, None)

    trials: list[Trial] = []
    runs: list[RunLog] = []
    for rate, penalty in itertools.product(RATES, PENALTIES):
        trial = Trial(rate, penalty)
        yield trial.name
        trial.train(train, val, STEPS)
        runs.append(study.trial(trial.name, 1 + 2 * len(runs), trial, sweep))
        trials.append(trial)
    best = max(trials, key=lambda trial: trial.best_f1)
    _summarise(sweep, trials, best)

    yield "refit"
    refit = Trial(best.rate, best.penalty)
    refit.train(train, val, _REFIT_STEPS)
    study.trial("refit", 30, refit, runs[trials.index(best)])


def _summarise(sweep: RunLog, trials: list[Trial], best: Trial) -> None:
    sweep.results({"best/f1 score": best.best_f1, "trials": len(trials)}, step=0)
    rows = [f"{t.rate:g},{t.penalty:g},{six_digits(t.best_f1):g}\n" for t in trials]
    curves = [trial.history["val/loss"] for trial in trials if trial.penalty == best.penalty]
    sweep.files(
        {
            "report.txt": f"Best of {len(trials)}: {best.name}, F1 {best.best_f1:.3f}.\n",
            "tables/sweep.csv": "lr,l2,best val/f1 score\n" + "".join(rows),
            "plots/val/loss.png": line_plot(*curves),
        }
    )
    sweep.end(step=_SWEEP_STEPS)
