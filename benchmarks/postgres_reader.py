"""The statements of the limit on Postgres: the fastest that we found, with a binary cursor."""

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any

import psycopg

from benchmarks.points import Points
from benchmarks.workload import RUNS_PAGE

_NEWEST_OF_EACH = f"""
    SELECT experiment_id, run_uuid, name, status, start_time, end_time
    FROM (SELECT *, row_number() OVER
              (PARTITION BY experiment_id ORDER BY start_time DESC NULLS LAST, run_uuid) AS number
          FROM runs WHERE lifecycle_stage = 'active' AND experiment_id = ANY(%s)) AS n
    WHERE number <= {RUNS_PAGE} ORDER BY experiment_id, number
"""  # noqa: S608 - numbers of this package's own
_NEWEST_OF_ONE = f"""
    SELECT r.experiment_id, run_uuid, name, status, start_time, end_time
    FROM unnest(%s::int[]) AS e (id) CROSS JOIN LATERAL (
        SELECT * FROM runs WHERE experiment_id = e.id AND lifecycle_stage = 'active'
        ORDER BY start_time DESC NULLS LAST, run_uuid LIMIT {RUNS_PAGE}) AS r
"""  # noqa: S608
# Each run is read through the index: nothing is sorted as a whole, and each run is one row.
_PARAMS = """
    SELECT r.id, p.keys, p.numbers FROM unnest(%s::text[]) AS r (id) CROSS JOIN LATERAL (
        SELECT array_agg(key) AS keys, array_agg(value) AS numbers
        FROM (SELECT key, value FROM params WHERE run_uuid = r.id ORDER BY key) AS o) AS p
"""
_METRICS = """
    SELECT r.id, m.* FROM unnest(%s::text[]) AS r (id) CROSS JOIN LATERAL (
        SELECT array_agg(key), array_agg(value), array_agg(step)
        FROM (SELECT key, value, step FROM latest_metrics WHERE run_uuid = r.id ORDER BY key) AS o) AS m
"""
_POINTS = """
    SELECT r.id, m.* FROM unnest(%s::text[]) AS r (id) CROSS JOIN LATERAL (
        SELECT key, array_agg(step), array_agg(timestamp), array_agg(value) FROM (
            SELECT key, step, timestamp, value FROM metrics WHERE run_uuid = r.id{}
            ORDER BY key, step, timestamp) AS o
        GROUP BY key ORDER BY key) AS m
"""


class PostgresReader:
    """Reads the data set with psycopg."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def version(self) -> str:
        """Return the name of the database and its version."""
        number = self._connection.info.server_version
        return f"PostgreSQL {number // 10000}.{number % 10000}"

    def experiments(self, first: int) -> list[tuple[int, str]]:
        """Return the newest experiments of the data set."""
        return self._rows(
            "SELECT experiment_id, name FROM experiments WHERE lifecycle_stage = 'active'"
            " AND starts_with(name, 'bench-') ORDER BY creation_time DESC, experiment_id LIMIT %s",
            first,
        )

    def experiment(self, name: str) -> int:
        """Return the id of an experiment."""
        ((experiment_id,),) = self._rows("SELECT experiment_id FROM experiments WHERE name = %s", name)
        return int(experiment_id)

    def newest_runs(self, experiment_ids: Sequence[int], *, indexed: bool = False) -> list[tuple[Any, ...]]:
        """Return the newest runs of each experiment; `indexed` means that an index has their order."""
        one_by_one = indexed or len(experiment_ids) == 1
        return self._rows(_NEWEST_OF_ONE if one_by_one else _NEWEST_OF_EACH, list(experiment_ids))

    def params(self, run_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the params of each run, by key."""
        return {
            run_id: [{"key": key, "value": value} for key, value in zip(keys or (), texts or (), strict=True)]
            for run_id, keys, texts in self._rows(_PARAMS, list(run_ids))
        }

    def metrics(self, run_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return the last value of each metric of each run, by key."""
        return {
            run_id: [
                {"key": key, "value": value, "step": step}
                for key, value, step in zip(keys or (), numbers or (), steps or (), strict=True)
            ]
            for run_id, keys, numbers, steps in self._rows(_METRICS, list(run_ids))
        }

    def points(self, run_ids: Sequence[str], key: str | None = None) -> Points:
        """Return the histories of all metrics of the runs, or of one."""
        statement = _POINTS.format(" AND key = %s" if key else "")
        rows = self._rows(statement, list(run_ids), *([key] if key else []))
        return Points(
            [(run_id, name) for run_id, name, *_ in rows],
            list(accumulate(len(row[2]) for row in rows)),
            *(list(chain.from_iterable(row[column] for row in rows)) for column in (2, 3, 4)),
        )

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        # The statements are constants of this module, but mypy does not infer LiteralString for them.
        return self._connection.execute(statement.encode(), values, binary=True).fetchall()
