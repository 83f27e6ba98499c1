"""Rows that tests insert into MLflow's tables in bulk, and lists of the port as tuples."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, insert

from gql_server.stores.sql.tables import EXPERIMENTS, LATEST_METRICS, METRICS, PARAMS, RUNS
from schema.ports.lifecycle import LifecycleView
from schema.ports.table import Many
from schema.ports.tracking import Order, Page, Search

WHOLE = Page(first=1000, after=None, columns=frozenset({"run_id", "name", "experiment_id"}))
ANY_STAGE = Search(view=LifecycleView.ALL)


def experiment(engine: Engine, number: int, **values: Any) -> str:
    """Insert an experiment, and return its id."""
    row = {"experiment_id": number, "name": f"experiment {number}", "lifecycle_stage": "active"}
    times = {"creation_time": 1000 + number, "last_update_time": 1000 + number}
    with engine.begin() as connection:
        connection.execute(insert(EXPERIMENTS), [row | times | values])
    return str(number)


def runs(engine: Engine, experiment_id: str, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Insert runs, and return their ids."""
    filled = [
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
        connection.execute(insert(RUNS), filled)
    return [row["run_uuid"] for row in filled]


def numbered(count: int, **values: Any) -> list[dict[str, Any]]:
    """Return rows of runs, each started a second after the one before."""
    return [{"run_uuid": f"{number:032x}", "start_time": number * 1000, **values} for number in range(count)]


def params(engine: Engine, rows: Sequence[tuple[str, str, str]]) -> None:
    """Insert params: run, key and value."""
    with engine.begin() as connection:
        connection.execute(insert(PARAMS), [{"run_uuid": r, "key": k, "value": v} for r, k, v in rows])


def last_metrics(engine: Engine, rows: Sequence[tuple[str, str, float, bool]]) -> None:
    """Insert last values: run, key, value, and whether it is NaN."""
    names = ("run_uuid", "key", "value", "is_nan")
    filled = [dict(zip(names, row, strict=True)) | {"step": 0, "timestamp": 0} for row in rows]
    with engine.begin() as connection:
        connection.execute(insert(LATEST_METRICS), filled)


def points(engine: Engine, run_id: str, key: str, rows: Iterable[tuple[int, int, float]]) -> None:
    """Insert points of a metric: step, timestamp and value."""
    names = ("step", "timestamp", "value")
    filled = [dict(zip(names, row, strict=True)) for row in rows]
    with engine.begin() as connection:
        connection.execute(
            insert(METRICS), [{"run_uuid": run_id, "key": key, "is_nan": False} | row for row in filled]
        )


def by(key: str, *, of: Any = "attribute", descending: bool = False) -> Order:
    """Return one key of an order."""
    return Order(by=of, key=key, descending=descending)


def lists(many: Many, *names: str) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each parent, of these columns."""
    rows = list(zip(*(many.rows[name] for name in names), strict=True))
    return [rows[start:stop] for start, stop in many.spans]
