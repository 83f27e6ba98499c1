"""S1 to S3 from SQLite with Python's sqlite3, called on the event loop.

Each call takes less time than a thread needs to be woken. The module keeps the statements prepared.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from benchmarks.least.objects import Object, Values, curve, dashboard, runs, table_rows
from benchmarks.small_workloads import CURVE, METRICS, PAGE, PARAMS
from benchmarks.sqlite_reader import open_for_reading

_RUN = "run_uuid, name, status, start_time"
_ONE = f"SELECT {_RUN} FROM runs WHERE run_uuid = ?"  # noqa: S608 - numbers and names of this package's own
_NEWEST = f"""
    SELECT {_RUN} FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active'
    ORDER BY start_time DESC, run_uuid LIMIT {PAGE}
"""  # noqa: S608
_CHARTED = f"""
    SELECT {_RUN} FROM runs WHERE run_uuid IN (%s) AND experiment_id = ? AND lifecycle_stage = 'active'
    ORDER BY start_time DESC, run_uuid
"""  # noqa: S608
_PARAMS = "SELECT run_uuid, key, value FROM params WHERE run_uuid IN (%s) ORDER BY run_uuid, key"
_METRICS = (
    "SELECT run_uuid, key, value, step FROM latest_metrics WHERE run_uuid IN (%s) ORDER BY run_uuid, key"
)
_SOME = "SELECT run_uuid, key, value FROM {} WHERE run_uuid IN (%s) AND key IN (%s)"
# The index has this order, and the points of the data set have different steps.
_CURVE = """
    SELECT step, value FROM metrics INDEXED BY index_metrics_run_uuid_key_step
    WHERE run_uuid = ? AND key = ? ORDER BY step
"""


class SqliteReader:
    """Reads on one connection."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def open(self) -> None:
        """Open the connection."""
        self._connection = open_for_reading(self._path)

    async def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    async def s1(self, id: str) -> Object:  # noqa: A002 - the name of the variable
        """Return the data of S1."""
        rows = self._rows(_ONE, [id])
        return {"run": runs(rows, self._values(rows))[0]}

    async def s2(self, experiment: str) -> Object:
        """Return the data of S2."""
        rows = self._rows(_NEWEST, [int(experiment)])
        return {"runs": {"nodes": runs(rows, self._values(rows))}}

    async def s3(self, name: str, charted: Sequence[str]) -> Object:
        """Return the data of S3."""
        ((id_,),) = self._rows("SELECT experiment_id FROM experiments WHERE name = ?", [name])
        rows = self._rows(_NEWEST, [id_])
        ids = [row[0] for row in rows]
        params = self._some("params", ids, list(PARAMS.values()))
        last = self._some("latest_metrics", ids, list(METRICS.values()))
        chosen = self._rows(_CHARTED % _marks(charted), [*charted, id_])
        curves = [self._curve(run_id, run_name) for run_id, run_name, _, _ in chosen]
        return dashboard({"experimentId": str(id_), "name": name}, table_rows(rows, params, last), curves)

    def _values(self, rows: list[Any]) -> Values:
        ids = [row[0] for row in rows]
        params: dict[str, list[Object]] = {id_: [] for id_ in ids}
        for id_, key, value in self._connection.execute(_PARAMS % _marks(ids), ids):
            params[id_].append({"key": key, "value": value})
        last: dict[str, list[Object]] = {id_: [] for id_ in ids}
        for id_, key, value, step in self._connection.execute(_METRICS % _marks(ids), ids):
            last[id_].append({"key": key, "value": value, "step": step})
        return Values(params, last)

    def _some(self, table: str, ids: list[str], keys: list[str]) -> dict[str, dict[str, Any]]:
        some: dict[str, dict[str, Any]] = defaultdict(dict)
        for id_, key, value in self._rows(_SOME.format(table) % (_marks(ids), _marks(keys)), [*ids, *keys]):
            some[id_][key] = value
        return some

    def _curve(self, run_id: str, name: str) -> Object:
        points = self._rows(_CURVE, [run_id, CURVE])
        return curve(run_id, name, [step for step, _ in points], [value for _, value in points])

    def _rows(self, statement: str, values: Sequence[Any]) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))
