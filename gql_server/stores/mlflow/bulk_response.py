"""Responses of MLflow's `get-history-bulk` endpoint, parsed to the points of each run."""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter, lt
from typing import Any

import orjson
from mlflow.entities import Metric

from gql_server.stores.mlflow.history_points import Points, points_from_metrics
from gql_server.stores.mlflow.history_request import HistoryRequest
from schema.ports.non_finite import LARGEST_FLOAT
from schema.ports.store_kind import StoreKind


def parse_rows(body: bytes) -> Sequence[dict[str, Any]]:
    """Return the rows of a response; raise `ValueError` or `TypeError` for any other body.

    MLflow writes NaN without quotes, which is not JSON. The standard library accepts it, at three times the
    time of orjson.
    """
    try:
        response = orjson.loads(body)
    except orjson.JSONDecodeError:
        response = json.loads(body)
    rows = response.get("metrics", []) if isinstance(response, dict) else None
    if not isinstance(rows, list):
        message = "The body is not a response of get-history-bulk."
        raise TypeError(message)
    return rows


def points_by_run(
    rows: Sequence[dict[str, Any]], kind: StoreKind, request: HistoryRequest
) -> Mapping[str, Points]:
    """Return the requested points of each run from a response's rows, in which a run's rows are consecutive.

    Raises `ValueError`, `TypeError` or `KeyError` for rows that are not the endpoint's.
    """
    points: dict[str, Points] = {}
    for run_id, group in groupby(rows, key=itemgetter("run_id")):
        if run_id in points:
            message = "The rows of a run are not consecutive."
            raise ValueError(message)
        points[run_id] = _points(list(group), kind, request)
    return points


def _points(rows: Sequence[dict[str, Any]], kind: StoreKind, request: HistoryRequest) -> Points:
    step = [int(row["step"]) for row in rows]
    timestamp = [int(row["timestamp"]) for row in rows]
    value = [float(row["value"]) for row in rows]
    # Few runs have such values, so they take the slower conversion, which maps them.
    if not all(map(math.isfinite, value)) or max(value) >= LARGEST_FLOAT or min(value) <= -LARGEST_FLOAT:
        points = zip(value, timestamp, step, strict=True)
        return points_from_metrics((Metric("", *point) for point in points), kind, request)
    if not all(map(lt, step, islice(step, 1, None))):
        ordered = sorted(zip(step, timestamp, value, strict=True))
        step, timestamp, value = (list(column) for column in zip(*ordered, strict=True))
    start = 0 if request.from_step is None else bisect_left(step, request.from_step)
    stop = len(step) if request.to_step is None else bisect_right(step, request.to_step)
    part = slice(start, max(start, stop))
    steps = step[part]
    return Points(steps, timestamp[part], value[part], [None] * len(steps))
