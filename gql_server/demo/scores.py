"""How well a classifier of two classes does: loss, accuracy and F1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_HALF = 0.5
_NEVER_CERTAIN = 1e-12


class Scores(NamedTuple):
    """The mean log loss, the share of right answers, and the F1 score of class 1."""

    loss: float
    accuracy: float
    f1: float

    @classmethod
    def of(cls, outputs: Sequence[float], labels: Sequence[int]) -> Scores:
        """Compare probabilities of class 1 with the true labels."""
        answers = [int(output > _HALF) for output in outputs]
        right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
        found = sum(answer and label for answer, label in zip(answers, labels, strict=True))
        positive = sum(answers) + sum(labels)
        loss = sum(_log_loss(output, label) for output, label in zip(outputs, labels, strict=True))
        return cls(loss / len(labels), right / len(labels), 2.0 * found / positive if positive else 0.0)

    def named(self, prefix: str) -> dict[str, float]:
        """Return the scores as metrics of the data set ``prefix``, under keys such as "val/f1 score"."""
        return {
            f"{prefix}/loss": self.loss,
            f"{prefix}/accuracy": self.accuracy,
            f"{prefix}/f1 score": self.f1,
        }


def _log_loss(output: float, label: int) -> float:
    likelihood = output if label else 1.0 - output
    return -math.log(max(likelihood, _NEVER_CERTAIN))
