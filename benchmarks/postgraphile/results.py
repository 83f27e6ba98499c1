"""PostGraphile's results in the form of this server's, to compare them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from benchmarks.client import Client
from benchmarks.postgraphile.documents import translated
from benchmarks.small_workloads import METRICS, PARAMS
from benchmarks.workload import Workload
from schema.engine.times import format_time

Object = dict[str, Any]


def check_postgraphile(workload: Workload, client: Client, expected: Object) -> None:
    """Raise RuntimeError unless PostGraphile has the expected data; of S3 without the curves."""
    client.connect()
    response = orjson.loads(client.hot(translated(workload)))
    if "errors" in response:
        message = f"{workload.name}: PostGraphile returned {response['errors']}"
        raise RuntimeError(message)
    if in_our_form(workload.name, response["data"]) != _without_curves(workload.name, expected):
        message = f"{workload.name}: PostGraphile has other data"
        raise RuntimeError(message)


def in_our_form(name: str, data: Object) -> Object:
    """Return the data of a workload as this server returns it; S3 without the points of the curves."""
    return _FORMS[name](data)


def _without_curves(name: str, data: Object) -> Object:
    # PostGraphile does not sample.
    if name != "S3":
        return data
    charted = [{"runId": node["runId"], "name": node["name"]} for node in data["runs"]["nodes"]]
    return data | {"runs": {"nodes": charted}}


def _w1(data: Object) -> Object:
    nodes = [
        {"name": experiment["name"], "runs": _nodes(map(_ended, experiment["runsByExperimentIdList"]))}
        for experiment in data["allExperimentsList"]
    ]
    return {"experiments": {"nodes": nodes}}


def _w2(data: Object) -> Object:
    runs = [
        {"runId": run["runUuid"], "metrics": _histories(run["metricsByRunUuidList"])}
        for run in data["experimentByWorkspaceAndName"]["runsByExperimentIdList"]
    ]
    return {"experiment": {"runs": _nodes(runs)}}


def _w3(data: Object) -> Object:
    runs = [
        {"runId": run["runUuid"], "metric": {"history": list(map(_point, run["metricsByRunUuidList"]))}}
        for run in data["experimentByWorkspaceAndName"]["runsByExperimentIdList"]
    ]
    return {"experiment": {"runs": _nodes(runs)}}


def _s1(data: Object) -> Object:
    return {"run": _run(data["runByRunUuid"])}


def _s2(data: Object) -> Object:
    return {"runs": _nodes(map(_run, data["allRunsList"]))}


def _s3(data: Object) -> Object:
    experiment = data["experimentByWorkspaceAndName"]
    found = {"experimentId": str(experiment["experimentId"]), "name": experiment["name"]}
    charted = [{"runId": run["runUuid"], "name": run["name"]} for run in experiment["charted"]]
    return {
        "experiment": found | {"runs": _nodes(map(_row, experiment["runsByExperimentIdList"]))},
        "runs": _nodes(charted),
    }


_FORMS: Mapping[str, Callable[[Object], Object]] = {
    "W1": _w1,
    "W2": _w2,
    "W3": _w3,
    "S1": _s1,
    "S2": _s2,
    "S3": _s3,
}


def _nodes(runs: Iterable[Object]) -> Object:
    return {"nodes": list(runs)}


def _head(run: Object) -> Object:
    started = format_time(int(run["startTime"]))
    return {"runId": run["runUuid"], "name": run["name"], "status": run["status"], "startedAt": started}


def _run(run: Object) -> Object:
    metrics = [metric | {"step": int(metric["step"])} for metric in run["latestMetricsByRunUuidList"]]
    return _head(run) | {"params": run["paramsByRunUuidList"], "metrics": metrics}


def _ended(run: Object) -> Object:
    return _run(run) | {"endedAt": format_time(int(run["endTime"]))}


def _row(run: Object) -> Object:
    params = {alias: run[alias][0]["value"] if run[alias] else None for alias in PARAMS}
    metrics = {alias: run[alias][0] if run[alias] else None for alias in METRICS}
    return _head(run) | params | metrics


def _histories(points: Iterable[Object]) -> list[Object]:
    by_key: dict[str, list[Object]] = {}
    for point in points:
        by_key.setdefault(point["key"], []).append(_point(point))
    return [{"key": key, "history": history} for key, history in by_key.items()]


def _point(point: Object) -> Object:
    time = format_time(int(point["timestamp"]))
    return {"step": int(point["step"]), "timestamp": time, "value": point["value"]}
