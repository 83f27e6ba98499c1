"""The training of the spirals' network: stochastic gradient descent, one point at a time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from gql_server.demo.model.spiral_mlp import SpiralMLP
from gql_server.demo.points import Sample
from gql_server.demo.recorder import History
from gql_server.demo.scores import Scores

_CURVES = ("learning rate", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/f1 score")


def fresh(activation: str, hidden: int, *, seed: int) -> SpiralMLP:
    """Return a network with random weights."""
    chance = random.Random(seed)  # noqa: S311 - weights, not secrets
    inner = [[chance.gauss(0.0, 1.5), chance.gauss(0.0, 1.5), chance.gauss(0.0, 1.0)] for _ in range(hidden)]
    return SpiralMLP(activation, inner, [chance.gauss(0.0, 0.5) for _ in range(hidden)] + [0.0])


def scores(network: SpiralMLP, samples: list[Sample]) -> Scores:
    """Measure ``network`` on ``samples``."""
    outputs = [network.probability(network.hidden(x, y)) for x, y, _ in samples]
    return Scores.of(outputs, [sample.label for sample in samples])


@dataclass
class Training:
    """One network on its way; ``history`` holds a point of each curve for each epoch done."""

    network: SpiralMLP
    rate: float
    history: History = field(default_factory=lambda: {key: [] for key in _CURVES})

    def run(self, train: list[Sample], val: list[Sample], *, epochs: int, planned: int, seed: int) -> None:
        """Do the first ``epochs`` of ``planned``; the learning rate falls to a third over them all."""
        chance = random.Random(seed)  # noqa: S311 - the order of the points, not secrets
        order = list(train)
        for epoch in range(epochs):
            rate = self.rate / (1.0 + 2.0 * epoch / planned)
            chance.shuffle(order)
            for sample in order:
                self._step(sample, rate)
            self._note(rate, scores(self.network, train), scores(self.network, val))

    def _step(self, sample: Sample, rate: float) -> None:
        network, outer = self.network, self.network.outer
        hidden = network.hidden(sample.x, sample.y)
        push = rate * (network.probability(hidden) - sample.label)
        tanh = network.activation == "tanh"
        for index, value in enumerate(hidden):
            slope = 1.0 - value * value if tanh else float(value > 0.0)
            back = push * outer[index] * slope
            outer[index] -= push * value
            unit = network.inner[index]
            unit[0] -= back * sample.x
            unit[1] -= back * sample.y
            unit[2] -= back
        outer[-1] -= push

    def _note(self, rate: float, train: Scores, val: Scores) -> None:
        point = {
            "learning rate": rate,
            "train/loss": train.loss,
            "train/accuracy": train.accuracy,
            **val.named("val"),
        }
        for key, value in point.items():
            self.history[key].append(value)
