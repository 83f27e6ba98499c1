"""Experiment "ridge-learning-rates": a polynomial fitted by gradient descent, up to a rate that diverges.

The last rate is far too large: its loss overflows to infinity, its weights become NaN, and its run fails.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from gql_server.demo.dates import moment
from gql_server.demo.png import line_plot
from gql_server.demo.recorder import History, Logbook, six_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENT = "ridge-learning-rates"
RATES = (0.001, 0.01, 0.1, 0.3, 10.0)
RUNS = len(RATES)
STEPS = 300

_PENALTY = 0.001
_DEGREE = 5
_PACE = 100
_TAGS = {MLFLOW_RUN_NOTE: "How large may the learning rate be?", "team": "curves"}


def _points(count: int) -> tuple[list[list[float]], list[float]]:
    chance = random.Random(7)  # noqa: S311 - data, not secrets
    places = [chance.uniform(-1.0, 1.0) for _ in range(count)]
    rows = [[x**power for power in range(_DEGREE + 1)] for x in places]
    return rows, [math.sin(3.0 * x) + chance.gauss(0.0, 0.1) for x in places]


def descend(rate: float, steps: int = STEPS) -> History:
    """Return the curves of one training; they end in NaN where ``rate`` is too large."""
    rows, targets = _points(60)
    weights = [0.0] * (_DEGREE + 1)
    history: History = {"loss": [], "weight norm": []}
    for _ in range(steps):
        errors = [
            sum(w * v for w, v in zip(weights, row, strict=True)) - target
            for row, target in zip(rows, targets, strict=True)
        ]
        # A product and not a power: float overflow then gives infinity, where ** raises OverflowError.
        size = sum(weight * weight for weight in weights)
        history["loss"].append(sum(error * error for error in errors) / len(rows) + _PENALTY * size)
        history["weight norm"].append(math.sqrt(size))
        for index, weight in enumerate(weights):
            slope = sum(error * row[index] for error, row in zip(errors, rows, strict=True)) / len(rows)
            weights[index] = weight - 2.0 * rate * (slope + _PENALTY * weight)
    return history


def record(logbook: Logbook) -> Iterator[str]:
    """Train and log the experiment; yields each run's name before its work starts."""
    experiment = logbook.experiment(EXPERIMENT, _TAGS)
    for number, rate in enumerate(RATES):
        name = f"lr={rate:g}"
        yield name
        _log(logbook, experiment, name, rate, minute=10 * number)


def _log(logbook: Logbook, experiment: str, name: str, rate: float, *, minute: int) -> None:
    history = descend(rate)
    loss = history["loss"]
    broken = next((step for step, value in enumerate(loss) if math.isnan(value)), None)
    tags = {} if broken is None else {"error": f"loss is not a number at step {broken}"}
    params = {"lr": rate, "l2": _PENALTY, "degree": _DEGREE, "steps": STEPS}
    run = logbook.run(experiment, name, start=moment(1, minute), pace=_PACE, params=params, tags=tags)
    run.curves(history)
    run.results({"peak loss": max(value for value in loss if not math.isnan(value))}, step=STEPS - 1)
    run.files(
        {
            "log.txt": "".join(f"step {at} loss {six_digits(loss[at])}\n" for at in range(0, STEPS, 50)),
            "plots/loss.png": line_plot(loss),
        }
    )
    run.end("FINISHED" if broken is None else "FAILED", step=STEPS - 1)
