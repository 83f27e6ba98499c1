"""Experiment "scratch", deleted with its one run: seen only by those who ask for deleted rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gql_server.demo.dates import moment
from gql_server.demo.recorder import Logbook
from gql_server.demo.ridge import descend

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENT = "scratch"
RUNS = 1

_STEPS = 20
_RATE = 0.05


def record(logbook: Logbook) -> Iterator[str]:
    """Log one short run and delete its experiment; yields the run's name before its work starts."""
    yield "first try"
    experiment = logbook.experiment(EXPERIMENT, {})
    run = logbook.run(experiment, "first try", start=moment(3, 0), pace=100, params={"lr": _RATE})
    run.curves(descend(_RATE, _STEPS))
    run.end(step=_STEPS - 1)
    logbook.client.delete_experiment(experiment)
