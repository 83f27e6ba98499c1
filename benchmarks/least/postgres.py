"""S1 to S3 from Postgres with asyncpg: one prepared statement for S1 and S2, two for S3.

asyncpg sends the values of a prepared statement and reads the result in one round trip. Arrays make each run
one row.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from benchmarks.least.objects import Object, Values, curve, dashboard, metrics, pairs, runs, table_rows
from benchmarks.small_workloads import CURVE, METRICS, PAGE, PARAMS

_CONNECTIONS = 4
"""More connections do not add requests a second on two cores, which the application and Postgres share."""

_RUN = "r.run_uuid, r.name, r.status, r.start_time"
_ALL_VALUES = """
    CROSS JOIN LATERAL (SELECT array_agg(key), array_agg(value) FROM
        (SELECT key, value FROM params WHERE run_uuid = r.run_uuid ORDER BY key) AS o) AS p (keys, texts)
    CROSS JOIN LATERAL (SELECT array_agg(key), array_agg(value), array_agg(step) FROM
        (SELECT key, value, step FROM latest_metrics WHERE run_uuid = r.run_uuid ORDER BY key) AS o
    ) AS m (keys, numbers, steps)
"""
_NEWEST = f"""
    (SELECT * FROM runs WHERE experiment_id = {{}} AND lifecycle_stage = 'active'
     ORDER BY start_time DESC NULLS LAST, run_uuid LIMIT {PAGE}) AS r
"""  # noqa: S608 - numbers of this package's own
_S1 = f"SELECT {_RUN}, p.*, m.* FROM runs AS r {_ALL_VALUES} WHERE r.run_uuid = $1"  # noqa: S608
_S2 = f"SELECT {_RUN}, p.*, m.* FROM {_NEWEST.format('$1')} {_ALL_VALUES}"  # noqa: S608
_S3_TABLE = f"""
    SELECT e.experiment_id, {_RUN}, p.keys, p.texts, m.keys, m.numbers
    FROM experiments AS e CROSS JOIN LATERAL {_NEWEST.format("e.experiment_id")}
    CROSS JOIN LATERAL (SELECT array_agg(key), array_agg(value) FROM params
        WHERE run_uuid = r.run_uuid AND key = ANY($2)) AS p (keys, texts)
    CROSS JOIN LATERAL (SELECT array_agg(key), array_agg(value) FROM latest_metrics
        WHERE run_uuid = r.run_uuid AND key = ANY($3)) AS m (keys, numbers)
    WHERE e.name = $1
"""  # noqa: S608
_S3_CURVES = """
    SELECT r.run_uuid, r.name, c.* FROM runs AS r
    JOIN experiments AS e ON e.experiment_id = r.experiment_id AND e.name = $1
    CROSS JOIN LATERAL (SELECT array_agg(step), array_agg(value) FROM
        (SELECT step, value FROM metrics WHERE run_uuid = r.run_uuid AND key = $3
         ORDER BY step, timestamp) AS o) AS c (steps, numbers)
    WHERE r.run_uuid = ANY($2) AND r.lifecycle_stage = 'active'
    ORDER BY r.start_time DESC NULLS LAST, r.run_uuid
"""
_STATEMENTS = {"S1": _S1, "S2": _S2, "table": _S3_TABLE, "curves": _S3_CURVES}


class PostgresReader:
    """Reads with prepared statements on a few connections, of which the latest used is taken first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: list[Any] = []
        self._free: asyncio.LifoQueue[dict[str, Any]] = asyncio.LifoQueue()

    async def open(self) -> None:
        """Open the connections and prepare the statements on each."""
        for _ in range(_CONNECTIONS):
            connection = await asyncpg.connect(self._url)
            self._connections.append(connection)
            self._free.put_nowait({name: await connection.prepare(sql) for name, sql in _STATEMENTS.items()})

    async def close(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            await connection.close()

    async def s1(self, id: str) -> Object:  # noqa: A002 - the name of the variable
        """Return the data of S1."""
        (rows,) = await self._fetch(("S1", id))
        return {"run": _runs(rows)[0]}

    async def s2(self, experiment: str) -> Object:
        """Return the data of S2."""
        (rows,) = await self._fetch(("S2", int(experiment)))
        return {"runs": {"nodes": _runs(rows)}}

    async def s3(self, name: str, charted: Sequence[str]) -> Object:
        """Return the data of S3."""
        table, curves = await self._fetch(
            ("table", name, list(PARAMS.values()), list(METRICS.values())), ("curves", name, charted, CURVE)
        )
        params = {row[1]: dict(zip(row[5] or (), row[6] or (), strict=True)) for row in table}
        last = {row[1]: dict(zip(row[7] or (), row[8] or (), strict=True)) for row in table}
        nodes = table_rows([tuple(row)[1:5] for row in table], params, last)
        experiment = {"experimentId": str(table[0][0]), "name": name}
        return dashboard(experiment, nodes, [curve(*row) for row in curves])

    async def _fetch(self, *statements: tuple[Any, ...]) -> list[list[Any]]:
        prepared = await self._free.get()
        try:
            return [await prepared[name].fetch(*values) for name, *values in statements]
        finally:
            self._free.put_nowait(prepared)


def _runs(rows: list[Any]) -> list[Object]:
    values = Values(
        {row[0]: pairs(row[4], row[5]) for row in rows}, {row[0]: metrics(*row[6:9]) for row in rows}
    )
    return runs([tuple(row)[:4] for row in rows], values)
