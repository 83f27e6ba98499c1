"""Bulk inserts of rows into MLflow's tables."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any

from mlflow.store.db.base_sql_model import Base
from sqlalchemy import Engine, Table, insert

from gql_server.stores.sql.tables import EXPERIMENTS, LATEST_METRICS, METRICS, PARAMS, RUNS
from schema.ports.lifecycle import LifecycleView
from schema.ports.tracking import Order, Page, Search

WHOLE_PAGE = Page(first=1000, after=None, columns=frozenset({"run_id", "name", "experiment_id"}))
ANY_STAGE = Search(view=LifecycleView.ALL)


def writable(table: Table) -> Table:
    """Return MLflow's own definition of a table, which has the columns that this server does not read."""
    definition: Table = Base.metadata.tables[table.name]
    return definition


def insert_experiment(engine: Engine, number: int, **values: Any) -> str:
    """Insert an experiment, and return its id."""
    row = {"experiment_id": number, "name": f"experiment {number}", "lifecycle_stage": "active"}
    times = {"creation_time": 1000 + number, "last_update_time": 1000 + number}
    with engine.begin() as connection:
        connection.execute(insert(writable(EXPERIMENTS)), [row | times | values])
    return str(number)


def insert_runs(engine: Engine, experiment_id: str, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Insert runs, and return their ids."""
    complete = [
        {
            "name": None,
            "user_id": None,
            "status": "FINISHED",
            "start_time": None,
            "end_time": None,
            "lifecycle_stage": "active",
            "experiment_id": int(experiment_id),
        }
        | row
        for row in rows
    ]
    with engine.begin() as connection:
        connection.execute(insert(writable(RUNS)), complete)
    return [row["run_uuid"] for row in complete]


def run_rows(count: int, **values: Any) -> list[dict[str, Any]]:
    """Return rows of `count` runs that start one second apart."""
    return [{"run_uuid": f"{number:032x}", "start_time": number * 1000, **values} for number in range(count)]


def insert_params(engine: Engine, rows: Sequence[tuple[str, str, str]]) -> None:
    """Insert params, given as run id, key and value."""
    with engine.begin() as connection:
        connection.execute(
            insert(writable(PARAMS)),
            [{"run_uuid": run_id, "key": key, "value": value} for run_id, key, value in rows],
        )


def insert_latest_metrics(engine: Engine, rows: Sequence[tuple[str, str, float, bool]]) -> None:
    """Insert latest metrics, given as run id, key, value, and whether the value is NaN."""
    names = ("run_uuid", "key", "value", "is_nan")
    complete = [dict(zip(names, row, strict=True)) | {"step": 0, "timestamp": 0} for row in rows]
    with engine.begin() as connection:
        connection.execute(insert(writable(LATEST_METRICS)), complete)


def insert_points(engine: Engine, run_id: str, key: str, rows: Iterable[tuple[int, int, float]]) -> None:
    """Insert points of a metric, given as step, timestamp and value."""
    names = ("step", "timestamp", "value", "is_nan")
    points = [(step, time, 0.0 if isnan(value) else value, isnan(value)) for step, time, value in rows]
    with engine.begin() as connection:
        connection.execute(
            insert(writable(METRICS)),
            [{"run_uuid": run_id, "key": key, **dict(zip(names, point, strict=True))} for point in points],
        )


def sort_key(key: str, *, of: Any = "attribute", descending: bool = False) -> Order:
    """Return one sort key of an order."""
    return Order(by=of, key=key, descending=descending)
