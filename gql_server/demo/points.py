"""Generated points with labels: the data of the demo's classifiers."""

from __future__ import annotations

import hashlib
import json
import math
import random
from typing import NamedTuple

from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

_TURNS = 1.75
_COLUMNS = [{"type": "double", "name": name, "required": True} for name in ("x", "y")]


class LabelledPoint(NamedTuple):
    """A point and its class, 0 or 1."""

    x: float
    y: float
    label: int


def two_moons(count: int, *, seed: int, noise: float = 0.25) -> list[LabelledPoint]:
    """Return points on two half circles that a straight line cannot separate."""
    generator = random.Random(seed)  # noqa: S311 - data, not secrets
    samples = []
    for number in range(count):
        label = number % 2
        angle = math.pi * generator.random()
        x = math.cos(angle) if label == 0 else 1.0 - math.cos(angle)
        y = math.sin(angle) if label == 0 else 0.5 - math.sin(angle)
        samples.append(LabelledPoint(x + generator.gauss(0.0, noise), y + generator.gauss(0.0, noise), label))
    return samples


def spirals(count: int, *, seed: int, noise: float = 0.15) -> list[LabelledPoint]:
    """Return points on two spiral arms of one and three quarter turns each."""
    generator = random.Random(seed)  # noqa: S311 - data, not secrets
    samples = []
    for number in range(count):
        label = number % 2
        along = math.sqrt(generator.random())
        angle = (2.0 * along * _TURNS + label) * math.pi
        radius = 2.0 * along + 0.1
        x, y = radius * math.cos(angle), radius * math.sin(angle)
        samples.append(LabelledPoint(x + generator.gauss(0.0, noise), y + generator.gauss(0.0, noise), label))
    return samples


def dataset_input(name: str, samples: list[LabelledPoint], *, context: str) -> DatasetInput:
    """Return ``samples`` as an input of a run; ``context`` is its purpose, such as "training"."""
    rounded = [[round(sample.x, 6), round(sample.y, 6), sample.label] for sample in samples]
    dataset = Dataset(
        name=name,
        digest=hashlib.sha256(json.dumps(rounded).encode()).hexdigest()[:8],
        source_type="code",
        source=json.dumps({"module": __name__}),
        schema=json.dumps({"mlflow_colspec": _COLUMNS}),
        profile=json.dumps({"num_rows": len(samples)}),
    )
    return DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, context)])
