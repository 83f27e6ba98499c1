"""A two-layer network for points of the plane; MLflow's loader module of the demo's models.

A copy of this one file travels in the ``code`` folder of each logged model, so it may import nothing but
the standard library. ``mlflow.pyfunc.load_model`` imports it there and calls ``_load_pyfunc``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WEIGHTS_FILE = "weights.json"


def _relu(value: float) -> float:
    return max(value, 0.0)


_ACTIVATIONS = {"tanh": math.tanh, "relu": _relu}


def sigmoid(value: float) -> float:
    """Return the logistic function of ``value``, for any size of it."""
    if value >= 0.0:
        return 1.0 / (1.0 + math.exp(-min(value, 700.0)))
    grown = math.exp(max(value, -700.0))
    return grown / (1.0 + grown)


@dataclass
class SpiralMLP:
    """Hidden units over (x, y), one sigmoid output: the probability that a point lies on the second arm."""

    activation: str
    inner: list[list[float]]
    outer: list[float]

    def hidden(self, x: float, y: float) -> list[float]:
        """Return the activations of the hidden units for one point; each unit weighs x, y and a bias."""
        active = _ACTIVATIONS[self.activation]
        return [active(unit[0] * x + unit[1] * y + unit[2]) for unit in self.inner]

    def probability(self, hidden: list[float]) -> float:
        """Return the output for activations that ``hidden`` gave; the last outer weight is the bias."""
        total = self.outer[-1]
        for weight, value in zip(self.outer, hidden, strict=False):
            total += weight * value
        return sigmoid(total)

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> list[int]:  # noqa: ARG002
        """Return 0 or 1 for each row of x and y; rows may come as a list, a numpy array or a data frame."""
        array = model_input.to_numpy() if hasattr(model_input, "to_numpy") else model_input
        rows = array.tolist() if hasattr(array, "tolist") else array
        return [int(self.probability(self.hidden(float(x), float(y))) > 0.5) for x, y in rows]  # noqa: PLR2004

    def save(self, path: Path) -> None:
        """Write the weights as JSON to ``path``, with six digits each."""
        inner = [[float(f"{weight:.6g}") for weight in unit] for unit in self.inner]
        outer = [float(f"{weight:.6g}") for weight in self.outer]
        document = {"activation": self.activation, "inner": inner, "outer": outer}
        path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _load_pyfunc(path: str) -> SpiralMLP:
    return SpiralMLP(**json.loads(Path(path).read_text(encoding="utf-8")))
