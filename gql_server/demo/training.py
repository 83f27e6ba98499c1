"""Training of the network of "spirals-mlp" by stochastic gradient descent, one point at a time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from gql_server.demo.model.spiral_mlp import SpiralMLP
from gql_server.demo.points import LabelledPoint
from gql_server.demo.recorder import History
from gql_server.demo.scores import Scores

_CURVES = ("learning rate", "train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/f1 score")


def random_network(activation: str, hidden: int, *, seed: int) -> SpiralMLP:
    """Return a network with random weights."""
    generator = random.Random(seed)  # noqa: S311 - weights, not secrets
    inner = [
        [generator.gauss(0.0, 1.5), generator.gauss(0.0, 1.5), generator.gauss(0.0, 1.0)]
        for _ in range(hidden)
    ]
    return SpiralMLP(activation, inner, [generator.gauss(0.0, 0.5) for _ in range(hidden)] + [0.0])


def score(network: SpiralMLP, samples: list[LabelledPoint]) -> Scores:
    """Return the scores of ``network`` on ``samples``."""
    outputs = [network.probability(network.hidden(x, y)) for x, y, _ in samples]
    return Scores.from_outputs(outputs, [sample.label for sample in samples])


@dataclass
class Training:
    """The training of one network; ``history`` has one value per metric for each completed epoch."""

    network: SpiralMLP
    rate: float
    history: History = field(default_factory=lambda: {key: [] for key in _CURVES})

    def run(
        self, train: list[LabelledPoint], val: list[LabelledPoint], *, epochs: int, planned: int, seed: int
    ) -> None:
        """Run the first ``epochs`` of ``planned``, over which the learning rate falls to a third."""
        generator = random.Random(seed)  # noqa: S311 - the order of the points, not secrets
        order = list(train)
        for epoch in range(epochs):
            rate = self.rate / (1.0 + 2.0 * epoch / planned)
            generator.shuffle(order)
            for sample in order:
                self._step(sample, rate)
            self._record(rate, score(self.network, train), score(self.network, val))

    def _step(self, sample: LabelledPoint, rate: float) -> None:
        network, outer = self.network, self.network.outer
        hidden = network.hidden(sample.x, sample.y)
        step = rate * (network.probability(hidden) - sample.label)
        tanh = network.activation == "tanh"
        for index, value in enumerate(hidden):
            slope = 1.0 - value * value if tanh else float(value > 0.0)
            gradient = step * outer[index] * slope
            outer[index] -= step * value
            unit = network.inner[index]
            unit[0] -= gradient * sample.x
            unit[1] -= gradient * sample.y
            unit[2] -= gradient
        outer[-1] -= step

    def _record(self, rate: float, train: Scores, val: Scores) -> None:
        values = {
            "learning rate": rate,
            "train/loss": train.loss,
            "train/accuracy": train.accuracy,
            **val.as_metrics("val"),
        }
        for key, value in values.items():
            self.history[key].append(value)
