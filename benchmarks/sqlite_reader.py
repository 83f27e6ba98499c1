"""The statements of the limit on SQLite: the fastest that we found."""

import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from benchmarks.points import Points, sorted_by_time
from benchmarks.workload import RUNS_PAGE

_MAPPED_BYTES = 1_000_000_000

_RUNS = "experiment_id, run_uuid, name, status, start_time, end_time"
_NEWEST_OF_EACH = f"""
    SELECT r.experiment_id, r.run_uuid, r.name, r.status, r.start_time, r.end_time
    FROM (SELECT rowid AS position,
                 row_number() OVER (PARTITION BY experiment_id ORDER BY start_time DESC, run_uuid) AS number
          FROM runs WHERE lifecycle_stage = 'active' AND experiment_id IN (%s)) AS n
    JOIN runs AS r ON r.rowid = n.position
    WHERE number <= {RUNS_PAGE} ORDER BY r.experiment_id, number
"""  # noqa: S608 - numbers of this package's own
_NEWEST_OF_ONE = f"""
    SELECT {_RUNS} FROM runs WHERE lifecycle_stage = 'active' AND experiment_id = ?
    ORDER BY start_time DESC, run_uuid LIMIT {RUNS_PAGE}
"""  # noqa: S608
_PARAMS = "SELECT run_uuid, key, value FROM params WHERE run_uuid IN (%s) ORDER BY run_uuid, key"
_METRICS = (
    "SELECT run_uuid, key, value, step FROM latest_metrics WHERE run_uuid IN (%s) ORDER BY run_uuid, key"
)
# The index has this order, so that SQLite does not sort; points of equal steps are sorted afterwards.
_POINTS_FROM = "FROM metrics INDEXED BY index_metrics_run_uuid_key_step WHERE run_uuid IN (%s)"


def open_for_reading(path: str) -> sqlite3.Connection:
    """Open a file that is read through the memory of the page cache."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
    return connection


class SqliteReader:
    """Reads the data set with Python's sqlite3."""

    def __init__(self, path: str) -> None:
        self._connection = open_for_reading(path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def version(self) -> str:
        """Return the name of the database and its version."""
        return f"SQLite {sqlite3.sqlite_version}"

    def experiments(self, first: int) -> list[tuple[int, str]]:
        """Return the newest experiments of the data set."""
        return self._rows(
            "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active'"
            " AND name LIKE 'bench-%' ORDER BY creation_time DESC, experiment_id LIMIT ?",
            [first],
        )

    def experiment(self, name: str) -> int:
        """Return the id of an experiment."""
        ((experiment_id,),) = self._rows("SELECT experiment_id FROM experiments WHERE name = ?", [name])
        return int(experiment_id)

    def newest_runs(self, experiment_ids: Sequence[int], *, indexed: bool = False) -> list[tuple[Any, ...]]:
        """Return the newest runs of each experiment; `indexed` means that an index has their order."""
        if indexed or len(experiment_ids) == 1:
            return [
                row for experiment_id in experiment_ids for row in self._rows(_NEWEST_OF_ONE, [experiment_id])
            ]
        return self._rows(_NEWEST_OF_EACH % _placeholders(experiment_ids), experiment_ids)

    def params(self, run_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the params of each run, by key."""
        by_run: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in run_ids}
        for run_id, key, value in self._connection.execute(_PARAMS % _placeholders(run_ids), run_ids):
            by_run[run_id].append({"key": key, "value": value})
        return by_run

    def metrics(self, run_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the last value of each metric of each run, by key."""
        by_run: dict[str, list[dict[str, Any]]] = {run_id: [] for run_id in run_ids}
        for run_id, key, value, step in self._connection.execute(_METRICS % _placeholders(run_ids), run_ids):
            by_run[run_id].append({"key": key, "value": value, "step": step})
        return by_run

    def points(self, run_ids: Sequence[str], key: str | None = None) -> Points:
        """Return the histories of all metrics of the runs, or of one."""
        source = _POINTS_FROM % _placeholders(run_ids) + (" AND key = ?" if key else "")
        values = [*run_ids, key] if key else run_ids
        counts = self._rows(f"SELECT run_uuid, key, count(*) {source} GROUP BY run_uuid, key", values)
        points = self._rows(
            f"SELECT step, timestamp, value {source} ORDER BY run_uuid, key, step",
            values,
        )
        steps, timestamps, numbers = map(list, zip(*points, strict=True))
        ends = list(accumulate(count for _, _, count in counts))
        return sorted_by_time(
            Points([(run_id, key) for run_id, key, _ in counts], ends, steps, timestamps, numbers)
        )

    def _rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()


def _placeholders(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
