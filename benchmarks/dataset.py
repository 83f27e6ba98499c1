"""The benchmarks' data set: experiments of runs with params, metrics and histories, in any SQL database.

    python benchmarks/dataset.py sqlite:////tmp/bench/bench.db
    python benchmarks/dataset.py sqlite:////tmp/bench/hundred.db --times 100 --points 1

MLflow creates the tables, and bulk inserts fill them. The same arguments always give the same rows.
Experiments that exist are skipped, so that running the command again completes an interrupted one.
"""

import argparse
import math
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mlflow.store.tracking.dbmodels.models import (
    SqlExperiment,
    SqlLatestMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy import Connection, Engine, Table, func, insert, select

Rows = list[dict[str, Any]]

DASHBOARD = "dashboard"
"""The experiment of S3. W1 and W5 read the experiments whose names start with `bench-`."""

_EPOCH = 1_700_000_000_000
_BATCH_RUNS = 100


@dataclass(frozen=True, slots=True)
class Sizes:
    """The size of the data set: `times` multiplies the runs of an experiment; `points` is per metric.

    Without points, metrics have a last value at step 0 and no history.
    The experiment of the dashboard is one more, with runs and longer histories of its own.
    """

    experiments: int = 10
    runs: int = 100
    params: int = 20
    metrics: int = 10
    points: int = 100
    times: int = 1
    dashboard_runs: int = 60
    dashboard_points: int = 1000

    @property
    def dashboard(self) -> "Sizes":
        """The sizes of the experiment of the dashboard."""
        return replace(self, runs=self.dashboard_runs, points=self.dashboard_points, times=1)


def fill(url: str, sizes: Sizes) -> bool:
    """Create the tables if they do not exist, and insert the missing experiments; return whether any was."""
    create_store: Any = SqlAlchemyStore  # MLflow does not annotate it
    engine: Engine = create_store(url, "mlflow-artifacts:/").engine
    experiments = [(f"bench-{number:03d}", number, sizes) for number in range(sizes.experiments)]
    if sizes.dashboard_runs:
        experiments.append((DASHBOARD, sizes.experiments, sizes.dashboard))
    inserted = False
    for experiment in experiments:
        with engine.begin() as connection:
            inserted |= _fill_experiment(connection, *experiment)
    return inserted


def run_id(experiment: int, number: int) -> str:
    """Return the id of a run of an experiment, counted from 0, which is the same in every database."""
    return uuid.UUID(int=random.Random(f"{experiment}/{number}").getrandbits(128)).hex  # noqa: S311


def _fill_experiment(connection: Connection, name: str, number: int, sizes: Sizes) -> bool:
    experiments = _table(SqlExperiment)
    if connection.scalar(select(func.count()).where(experiments.c.name == name)):
        return False
    values = {"name": name, "artifact_location": f"mlflow-artifacts:/{name}", "lifecycle_stage": "active"}
    dates = {"creation_time": _EPOCH + number, "last_update_time": _EPOCH + number}
    connection.execute(insert(experiments).values(**values, **dates))
    experiment_id = connection.scalar(select(experiments.c.experiment_id).where(experiments.c.name == name))
    for start in range(0, sizes.runs * sizes.times, _BATCH_RUNS):
        numbers = range(start, min(start + _BATCH_RUNS, sizes.runs * sizes.times))
        _fill_runs(connection, [(run_id(number, run), run) for run in numbers], experiment_id or 0, sizes)
    return True


def _fill_runs(connection: Connection, runs: list[tuple[str, int]], experiment_id: int, sizes: Sizes) -> None:
    _insert(connection, SqlRun, [_run(id_, number, experiment_id) for id_, number in runs])
    _insert(connection, SqlTag, [_pair(id_, "mlflow.runName", f"run-{number}") for id_, number in runs])
    _insert(connection, SqlParam, [row for id_, number in runs for row in _params(id_, number, sizes)])
    last = max(sizes.points - 1, 0)
    _insert(
        connection,
        SqlLatestMetric,
        [row for id_, _ in runs for row in _points(id_, sizes, range(last, last + 1))],
    )
    for id_, _ in runs:
        _insert(connection, SqlMetric, list(_points(id_, sizes, range(sizes.points))))


def _run(id_: str, number: int, experiment_id: int) -> dict[str, Any]:
    start = _EPOCH + number * 60_000
    return {
        "run_uuid": id_,
        "name": f"run-{number}",
        "source_type": "LOCAL",
        "user_id": "bench",
        "status": "FINISHED",
        "start_time": start,
        "end_time": start + 50_000,
        "lifecycle_stage": "active",
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{id_}/artifacts",
        "experiment_id": experiment_id,
    }


def _pair(id_: str, key: str, value: str) -> dict[str, Any]:
    return {"run_uuid": id_, "key": key, "value": value}


def _params(id_: str, number: int, sizes: Sizes) -> Iterator[dict[str, Any]]:
    for param in range(sizes.params):
        yield _pair(id_, f"param_{param:02d}", str((number * 31 + param * 17) % 1000 / 1000))


def _points(id_: str, sizes: Sizes, steps: range) -> Iterator[dict[str, Any]]:
    offset = int(id_[:4], 16) / 65536
    for metric in range(sizes.metrics):
        for step in steps:
            yield {
                "run_uuid": id_,
                "key": f"metric_{metric:02d}",
                "step": step,
                "timestamp": _EPOCH + step * 1000 + metric,
                "value": math.exp(-step / 40) + offset / (metric + 3),
                "is_nan": False,
            }


def _insert(connection: Connection, model: Any, rows: Rows) -> None:
    if rows:
        connection.execute(insert(_table(model)), rows)


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def main() -> None:
    """Read the sizes from the command line and fill the database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("url", help="SQLAlchemy URL of the database, such as sqlite:////tmp/bench.db")
    default = Sizes()
    for name in Sizes.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    arguments = vars(parser.parse_args())
    fill(arguments.pop("url"), Sizes(**arguments))


if __name__ == "__main__":
    main()
