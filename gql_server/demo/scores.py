"""Scores of a classifier with two classes: loss, accuracy and F1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_HALF = 0.5
_MIN_LIKELIHOOD = 1e-12


class Scores(NamedTuple):
    """The mean log loss, the accuracy, and the F1 score of class 1."""

    loss: float
    accuracy: float
    f1: float

    @classmethod
    def from_outputs(cls, outputs: Sequence[float], labels: Sequence[int]) -> Scores:
        """Compare predicted probabilities of class 1 with the true labels."""
        predictions = [int(output > _HALF) for output in outputs]
        correct = sum(prediction == label for prediction, label in zip(predictions, labels, strict=True))
        true_positives = sum(
            prediction and label for prediction, label in zip(predictions, labels, strict=True)
        )
        positives = sum(predictions) + sum(labels)
        loss = sum(_log_loss(output, label) for output, label in zip(outputs, labels, strict=True))
        f1 = 2.0 * true_positives / positives if positives else 0.0
        return cls(loss / len(labels), correct / len(labels), f1)

    def as_metrics(self, dataset: str) -> dict[str, float]:
        """Return the scores as metrics with keys such as "val/f1 score"."""
        return {
            f"{dataset}/loss": self.loss,
            f"{dataset}/accuracy": self.accuracy,
            f"{dataset}/f1 score": self.f1,
        }


def _log_loss(output: float, label: int) -> float:
    likelihood = output if label else 1.0 - output
    return -math.log(max(likelihood, _MIN_LIKELIHOOD))
