"""The objects of S1 to S3, made from the columns that both databases' statements return."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from tsdownsample import LTTBDownsampler

from benchmarks.small_workloads import MAX_POINTS, METRICS, PARAMS
from schema.engine.times import format_times

Object = dict[str, Any]
Runs = list[tuple[str, str, str, int]]
"""Id, name, status and start of runs."""

_LTTB = LTTBDownsampler()


class Values(NamedTuple):
    """The params and the last metrics of runs, by run id."""

    params: Mapping[str, list[Object]]
    metrics: Mapping[str, list[Object]]


class Reader(Protocol):
    """Answers S1 to S3 from one kind of database."""

    async def open(self) -> None:
        """Open the connections."""

    async def close(self) -> None:
        """Close the connections."""

    async def s1(self, id: str) -> Object:  # noqa: A002 - the name of the variable
        """Return the data of S1."""

    async def s2(self, experiment: str) -> Object:
        """Return the data of S2."""

    async def s3(self, name: str, charted: Sequence[str]) -> Object:
        """Return the data of S3."""


def pairs(keys: Iterable[str] | None, values: Iterable[str] | None) -> list[Object]:
    """Return the objects of params."""
    return [{"key": key, "value": value} for key, value in zip(keys or (), values or (), strict=True)]


def metrics(
    keys: Iterable[str] | None, values: Iterable[float] | None, steps: Iterable[int] | None
) -> list[Object]:
    """Return the objects of last metrics."""
    columns = zip(keys or (), values or (), steps or (), strict=True)
    return [{"key": key, "value": value, "step": step} for key, value, step in columns]


def runs(rows: Runs, values: Values) -> list[Object]:
    """Return the objects of runs with all params and last metrics, as in S1 and S2."""
    return [
        {
            "runId": id_,
            "name": name,
            "status": status,
            "startedAt": started,
            "params": values.params[id_],
            "metrics": values.metrics[id_],
        }
        for (id_, name, status, _), started in zip(rows, _starts(rows), strict=True)
    ]


def table_rows(
    rows: Runs, params: Mapping[str, Mapping[str, str]], last: Mapping[str, Mapping[str, float]]
) -> list[Object]:
    """Return the rows of S3's table."""
    return [
        {"runId": id_, "name": name, "status": status, "startedAt": started}
        | {alias: params[id_].get(key) for alias, key in PARAMS.items()}
        | {alias: {"value": last[id_][key]} if key in last[id_] else None for alias, key in METRICS.items()}
        for (id_, name, status, _), started in zip(rows, _starts(rows), strict=True)
    ]


def curve(run_id: str, name: str, steps: Sequence[int], values: Sequence[float]) -> Object:
    """Return a run of S3's chart, with its curve sampled as the server does it."""
    x, y = np.array(steps, np.float64), np.array(values, np.float64)
    if len(x) > MAX_POINTS:
        chosen = _LTTB.downsample(x, y, n_out=MAX_POINTS)
        x, y = x[chosen], y[chosen]
    series = {"steps": x.astype(np.int64).tolist(), "values": y.tolist()}
    return {"runId": run_id, "name": name, "metric": {"series": series}}


def dashboard(experiment: Object, nodes: list[Object], curves: list[Object]) -> Object:
    """Return the data of S3."""
    return {"experiment": experiment | {"runs": {"nodes": nodes}}, "runs": {"nodes": curves}}


def _starts(rows: Runs) -> list[str | None]:
    return format_times([started for _, _, _, started in rows])
