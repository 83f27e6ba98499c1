"""The runs of a database: what `fill_store` logs, in the order of the columns of `RunData`."""

import math
from dataclasses import dataclass, field

Point = tuple[int, int, float]
"""Step, seconds after the start of the run, value."""


@dataclass(frozen=True)
class RunData:
    """A run. `start` and `end` are seconds after the first row; without `end` it is still running."""

    name: str
    start: int
    end: int | None = None
    status: str = "FINISHED"
    parent: str | None = None
    deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    datasets: tuple[tuple[str, str | None], ...] = ()
    """Names in `DATASETS`, with the context."""


EXPERIMENTS = {
    "sweep": {"team": "vision", "mlflow.note.content": "Learning rates\nand optimizers"},
    "größe 规模": {"owner": "Zoë", "ключ": "значение 'quoted'"},
    "abandoned": {"team": "vision"},
}
DELETED_EXPERIMENT = "abandoned"

DATASETS = {
    "train": {
        "digest": "d1",
        "source_type": "local",
        "source": '{"uri": "data/train.csv"}',
        "schema": '{"mlflow_colspec": []}',
        "profile": '{"num_rows": 3}',
    },
    "validation": {"digest": "d2", "source_type": "code", "source": '{"tags": {}}'},
}

_ADAM, _SGD = {"optimizer": "adam"}, {"optimizer": "sgd"}

RUNS = {
    "sweep": (
        RunData(
            *("grid", 0, 100),
            params=_ADAM | {"lr": "0.1", "layers": "3"},
            tags={"team": "vision", "kind": "vision", "mlflow.user": "ada", "note": 'it\'s 100% "done"'},
            metrics={
                "loss": ((0, 1, 1.0), (1, 2, 0.5), (2, 3, 0.25), (3, 4, 0.125)),
                "accuracy": ((0, 1, 0.5), (3, 4, 0.875)),
            },
            datasets=(("train", "training"), ("validation", None)),
        ),
        RunData(
            *("trial-1", 10, 30, "FINISHED", "grid"),
            params=_ADAM | {"lr": "0.01"},
            tags={"team": "vision"},
            metrics={"loss": ((-1, 1, 2.0), (0, 2, 1.5), (0, 3, 1.25), (5, 9, 0.75))},
            datasets=(("train", "training"), ("train", "evaluation"), ("validation", "evaluation")),
        ),
        RunData(
            *("trial-2", 20, 25, "FAILED", "grid"),
            params=_SGD | {"lr": "0.1"},
            tags={"team": "audio"},
            metrics={
                "loss": ((0, 1, 3.0),),
                "gradient": ((0, 1, 1e-300), (1, 2, math.inf), (2, 3, -math.inf), (3, 4, math.nan)),
                "overflow": ((0, 1, -math.inf), (1, 2, math.inf)),
            },
        ),
        RunData(*("trial-3", 20, None), params=_SGD | {"lr": "10"}, metrics={"loss": ((7, 1, 0.5),)}),
        RunData(
            *("trial-4", 40, 50, "FINISHED", "grid", True),
            params=_ADAM,
            metrics={"loss": ((0, 1, 0.1),)},
        ),
        RunData("empty", 60, 61, "KILLED"),
    ),
    "größe 规模": (
        RunData(
            *("versuch 数 é", 5, 6),
            params={"größe": "数値 🚀", "lr": "nicht gesetzt"},
            tags={"schlüssel": "Wert\tmit\nZeilen", "kind": "Vision"},
            metrics={"fehler/größe": ((0, 0, 0.1), (1 << 40, 1, -2.5e100))},
        ),
    ),
    "abandoned": (RunData("left", 1, 2, params=_ADAM, metrics={"loss": ((0, 1, 9.0),)}),),
}
