"""The limit: the time that the same result takes with SQL, comprehensions and orjson alone.

It uses no framework, no HTTP and no GraphQL: a database cursor reads columns, comprehensions nest them, and
orjson encodes them. It does not handle what the data set does not have, such as values that are not finite.
A server can approach this time, but not go below it.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol

import orjson

from benchmarks.points import Points
from benchmarks.workload import Workload
from schema.engine.times import format_times

Objects = list[dict[str, Any]]


class Reader(Protocol):
    """Reads the data set from one kind of database."""

    def close(self) -> None:
        """Close the connection."""

    def version(self) -> str:
        """Return the name of the database and its version."""

    def experiments(self, first: int) -> list[tuple[int, str]]:
        """Return the ids and names of the newest experiments."""

    def experiment(self, name: str) -> int:
        """Return the id of an experiment."""

    def newest_runs(self, experiment_ids: Sequence[int], *, indexed: bool = False) -> list[tuple[Any, ...]]:
        """Return experiment, id, name, status, start and end of the newest runs of each experiment."""

    def params(self, run_ids: Sequence[str]) -> dict[str, Objects]:
        """Return the params of each run."""

    def metrics(self, run_ids: Sequence[str]) -> dict[str, Objects]:
        """Return the last metrics of each run."""

    def points(self, run_ids: Sequence[str], key: str | None = None) -> Points:
        """Return the histories of the runs."""


class Limit:
    """Computes the results of the workloads."""

    def __init__(self, reader: Reader, *, indexed: bool = False) -> None:
        self.reader = reader
        self._indexed = indexed

    def run(self, workload: Workload) -> bytes:
        """Return the result of a workload as JSON."""
        methods: dict[str, Any] = {
            "W1": self._w1,
            "W2": self._w2,
            "W2 as series": self._w2_series,
            "W3": self._w3,
        }
        return orjson.dumps({"data": methods[workload.name](**workload.variables)})

    def _w1(self, first: int) -> dict[str, Any]:
        experiments = self.reader.experiments(first)
        rows = self.reader.newest_runs(
            [experiment_id for experiment_id, _ in experiments], indexed=self._indexed
        )
        run_ids = [row[1] for row in rows]
        params, metrics = self.reader.params(run_ids), self.reader.metrics(run_ids)
        starts, ends = (format_times([row[column] for row in rows]) for column in (4, 5))
        runs: dict[int, Objects] = defaultdict(list)
        for (experiment, run_id, name, status, _, _), start, end in zip(rows, starts, ends, strict=True):
            runs[experiment].append(
                {
                    "runId": run_id,
                    "name": name,
                    "status": status,
                    "startedAt": start,
                    "endedAt": end,
                    "params": params[run_id],
                    "metrics": metrics[run_id],
                }
            )
        nodes = [
            {"name": name, "runs": {"nodes": runs[experiment_id]}} for experiment_id, name in experiments
        ]
        return {"experiments": {"nodes": nodes}}

    def _w2(self, name: str) -> dict[str, Any]:
        run_ids = self._run_ids(name)
        points = self.reader.points(run_ids)
        return _with_metrics(run_ids, points, "history", points.split(_point_objects(points)))

    def _w2_series(self, name: str) -> dict[str, Any]:
        run_ids = self._run_ids(name)
        points = self.reader.points(run_ids)
        columns = [
            points.split(column) for column in (points.steps, format_times(points.timestamps), points.values)
        ]
        series = [
            {"steps": steps, "timestamps": times, "values": values}
            for steps, times, values in zip(*columns, strict=True)
        ]
        return _with_metrics(run_ids, points, "series", series)

    def _w3(self, name: str, key: str) -> dict[str, Any]:
        run_ids = self._run_ids(name)
        points = self.reader.points(run_ids, key)
        series = points.split(_point_objects(points))
        metrics = {
            run_id: {"history": history} for (run_id, _), history in zip(points.keys, series, strict=True)
        }
        nodes = [{"runId": run_id, "metric": metrics.get(run_id)} for run_id in run_ids]
        return {"experiment": {"runs": {"nodes": nodes}}}

    def _run_ids(self, experiment: str) -> list[str]:
        return [row[1] for row in self.reader.newest_runs([self.reader.experiment(experiment)])]


def _point_objects(points: Points) -> Objects:
    times = format_times(points.timestamps)
    return [
        {"step": step, "timestamp": time, "value": value}
        for step, time, value in zip(points.steps, times, points.values, strict=True)
    ]


def _with_metrics(run_ids: list[str], points: Points, field: str, values: Sequence[Any]) -> dict[str, Any]:
    metrics: dict[str, Objects] = {run_id: [] for run_id in run_ids}
    for (run_id, key), value in zip(points.keys, values, strict=True):
        metrics[run_id].append({"key": key, field: value})
    nodes = [{"runId": run_id, "metrics": metrics[run_id]} for run_id in run_ids]
    return {"experiment": {"runs": {"nodes": nodes}}}
