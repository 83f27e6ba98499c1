"""The demo store: filled once per test session, and not changed by tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from gql_server.demo.fill import fill


@dataclass(frozen=True)
class Demo:
    """The filled directory and a client of its store."""

    directory: Path
    uri: str
    client: MlflowClient
    progress: list[tuple[str, float]]

    def runs(self, experiment: str, view: int = ViewType.ACTIVE_ONLY) -> dict[str, Run]:
        """Return the runs of an experiment by name, in the order of their start."""
        entity = self.client.get_experiment_by_name(experiment)
        assert entity is not None
        runs = self.client.search_runs(
            [entity.experiment_id], run_view_type=view, order_by=["attributes.start_time ASC"]
        )
        return {run.info.run_name: run for run in runs}

    def curve(self, experiment: str, run: str, key: str) -> list[float]:
        """Return the values of a metric of a run, in the order of their steps."""
        run_id = self.runs(experiment)[run].info.run_id
        return [point.value for point in self.client.get_metric_history(run_id, key)]


def create_demo(directory: Path) -> Demo:
    """Create a directory with a filled demo store."""
    progress: list[tuple[str, float]] = []
    uri = fill(directory, lambda label, fraction: progress.append((label, fraction)))
    return Demo(directory, uri, MlflowClient(uri, uri), progress)
