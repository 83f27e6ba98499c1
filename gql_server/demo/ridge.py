"""Experiment "ridge-learning-rates": a polynomial fitted by gradient descent with several learning rates.

The last rate is too large: the loss overflows to infinity, the weights become NaN, and the run fails.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from gql_server.demo.dates import timestamp
from gql_server.demo.png import line_plot
from gql_server.demo.recorder import History, Recorder, six_digits

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENT = "ridge-learning-rates"
RATES = (0.001, 0.01, 0.1, 0.3, 10.0)
RUNS = len(RATES)
STEPS = 300

_PENALTY = 0.001
_DEGREE = 5
_STEP_MS = 100
_TAGS = {MLFLOW_RUN_NOTE: "How large may the learning rate be?", "team": "curves"}


def _points(count: int) -> tuple[list[list[float]], list[float]]:
    generator = random.Random(7)  # noqa: S311 - data, not secrets
    inputs = [generator.uniform(-1.0, 1.0) for _ in range(count)]
    rows = [[x**power for power in range(_DEGREE + 1)] for x in inputs]
    return rows, [math.sin(3.0 * x) + generator.gauss(0.0, 0.1) for x in inputs]


def descend(rate: float, steps: int = STEPS) -> History:
    """Return the metric histories of one training; they end in NaN if ``rate`` is too large."""
    rows, targets = _points(60)
    weights = [0.0] * (_DEGREE + 1)
    history: History = {"loss": [], "weight norm": []}
    for _ in range(steps):
        errors = [
            sum(w * v for w, v in zip(weights, row, strict=True)) - target
            for row, target in zip(rows, targets, strict=True)
        ]
        # A product instead of a power: its overflow gives infinity, while ** raises OverflowError.
        squares = sum(weight * weight for weight in weights)
        history["loss"].append(sum(error * error for error in errors) / len(rows) + _PENALTY * squares)
        history["weight norm"].append(math.sqrt(squares))
        for index, weight in enumerate(weights):
            slope = sum(error * row[index] for error, row in zip(errors, rows, strict=True)) / len(rows)
            weights[index] = weight - 2.0 * rate * (slope + _PENALTY * weight)
    return history


def record(recorder: Recorder) -> Iterator[str]:
    """Train and log the experiment; yield the name of each run before it starts."""
    experiment = recorder.create_experiment(EXPERIMENT, _TAGS)
    for number, rate in enumerate(RATES):
        name = f"lr={rate:g}"
        yield name
        _log(recorder, experiment, name, rate, minute=10 * number)


def _log(recorder: Recorder, experiment: str, name: str, rate: float, *, minute: int) -> None:
    history = descend(rate)
    loss = history["loss"]
    first_nan = next((step for step, value in enumerate(loss) if math.isnan(value)), None)
    tags = {} if first_nan is None else {"error": f"loss is not a number at step {first_nan}"}
    params = {"lr": rate, "l2": _PENALTY, "degree": _DEGREE, "steps": STEPS}
    run = recorder.start_run(
        experiment, name, start=timestamp(1, minute), step_ms=_STEP_MS, params=params, tags=tags
    )
    run.log_history(history)
    run.log_metrics({"peak loss": max(value for value in loss if not math.isnan(value))}, step=STEPS - 1)
    run.log_files(
        {
            "log.txt": "".join(
                f"step {step} loss {six_digits(loss[step])}\n" for step in range(0, STEPS, 50)
            ),
            "plots/loss.png": line_plot(loss),
        }
    )
    run.end("FINISHED" if first_nan is None else "FAILED", step=STEPS - 1)
