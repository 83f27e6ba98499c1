"""Experiment "scratch", which is deleted with its one run and appears only among deleted rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gql_server.demo.dates import timestamp
from gql_server.demo.recorder import Recorder
from gql_server.demo.ridge import descend

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENT = "scratch"
RUNS = 1

_STEPS = 20
_RATE = 0.05


def record(recorder: Recorder) -> Iterator[str]:
    """Log one short run and delete its experiment; yield the run's name before it starts."""
    yield "first try"
    experiment = recorder.create_experiment(EXPERIMENT, {})
    run = recorder.start_run(
        experiment, "first try", start=timestamp(3, 0), step_ms=100, params={"lr": _RATE}
    )
    run.log_history(descend(_RATE, _STEPS))
    run.end(step=_STEPS - 1)
    recorder.client.delete_experiment(experiment)
