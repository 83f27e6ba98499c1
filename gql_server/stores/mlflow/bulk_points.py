"""Points of histories as columns, and how a reply of MLflow's bulk endpoint becomes them."""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter, lt
from typing import Any, NamedTuple

import numpy as np
import orjson
from mlflow.entities import Metric

from gql_server.stores.mlflow import entity_tables
from gql_server.stores.point_arrays import PointArray, columns_of, concatenated, point_array, sampled
from gql_server.stores.sampling import sampled_indexes
from schema.ports.errors import LimitExceeded
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, Table
from schema.ports.tracking import Sample

_LARGEST = 1.7976931348623157e308
_COLUMNS = ("step", "timestamp", "value", "non_finite")


class Points(NamedTuple):
    """The points of one history, in the port's order; the columns are equally long."""

    step: Sequence[int]
    timestamp: Sequence[int]
    value: Sequence[float | None]
    non_finite: Sequence[str | None]


class PointBudget:
    """How many points one field of a query may still cost: of those that are read, or of those kept."""

    def __init__(self, most: int, fault: Callable[[int], LimitExceeded]) -> None:
        self._most = most
        self._fault = fault
        self._left = most

    def spend(self, points: int) -> None:
        """Count points; raise the fault where they are more than all that may be."""
        self._left -= points
        if self._left < 0:
            raise self._fault(self._most)


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """The steps that are asked for, both ends included, None being no end, and what sample of their points.

    `reading` and `keeping` say how much may be read, and how much be kept of it.
    """

    least: int | None
    most: int | None
    sample: Sample | None
    reading: PointBudget
    keeping: PointBudget


def joined(histories: Iterable[Points]) -> Many:
    """Return many histories as one table."""
    columns: tuple[list[Any], ...] = ([], [], [], [])
    spans = []
    for history in histories:
        start = len(columns[0])
        for column, part in zip(columns, history, strict=True):
            column.extend(part)
        spans.append((start, len(columns[0])))
    return Many(Table(len(columns[0]), dict(zip(_COLUMNS, columns, strict=True))), spans)


def of_metrics(metrics: Iterable[Metric], kind: StoreKind, steps: HistoryRequest) -> Points:
    """Return the points of one history that came as MLflow's entities."""
    rows = entity_tables.points_of([metrics], kind, steps.least, steps.most).rows
    return Points(*(rows[name] for name in _COLUMNS))


def curve_of_metrics(metrics: Iterable[Metric], kind: StoreKind, steps: HistoryRequest) -> PointArray:
    """Return a part of one history, that came as MLflow's entities, as an array."""
    least, most = (
        -math.inf if steps.least is None else steps.least,
        math.inf if steps.most is None else steps.most,
    )
    triples = ((one.step, one.timestamp, one.value) for one in metrics if least <= one.step <= most)
    return point_array(triples, largest_is_infinite=kind in entity_tables.LARGEST_IS_INFINITE)


def sample_of_parts(parts: Sequence[PointArray], sample: Sample) -> Points:
    """Return a sample of one history that came in parts."""
    columns = columns_of([sampled(concatenated(parts), sample)])
    return Points(*(columns[name] for name in _COLUMNS))


def sample_of(points: Points, sample: Sample) -> Points:
    """Return a sample of one history."""
    if len(points.step) <= sample.max_points:
        return points
    kept = sampled_indexes(
        np.array(points.step, np.int64), np.array(points.value, np.float64), sample
    ).tolist()
    return Points(*([column[place] for place in kept] for column in points))


def rows_of(body: bytes) -> Sequence[dict[str, Any]]:
    """Return the rows of a reply; raise `ValueError` or `TypeError` where it is none.

    MLflow writes a bare NaN, which is not JSON: the standard library takes it, at three times the time.
    """
    try:
        reply = orjson.loads(body)
    except orjson.JSONDecodeError:
        reply = json.loads(body)
    rows = reply.get("metrics", []) if isinstance(reply, dict) else None
    if not isinstance(rows, list):
        message = "This is no reply of get-history-bulk."
        raise TypeError(message)
    return rows


def by_run(rows: Sequence[dict[str, Any]], kind: StoreKind, steps: HistoryRequest) -> Mapping[str, Points]:
    """Return the history of each run in a reply's rows, in which the rows of a run stand together.

    Raises `ValueError`, `TypeError` or `KeyError` for rows that are not the endpoint's.
    """
    found: dict[str, Points] = {}
    for run_id, group in groupby(rows, key=itemgetter("run_id")):
        if run_id in found:
            message = "The rows of a run are apart."
            raise ValueError(message)
        found[run_id] = _points(list(group), kind, steps)
    return found


def _points(rows: Sequence[dict[str, Any]], kind: StoreKind, steps: HistoryRequest) -> Points:
    step = [int(row["step"]) for row in rows]
    timestamp = [int(row["timestamp"]) for row in rows]
    value = [float(row["value"]) for row in rows]
    # Few runs have such a value; they go the way of the entities, which knows what stands for what.
    if not all(map(math.isfinite, value)) or max(value) >= _LARGEST or min(value) <= -_LARGEST:
        triples = zip(value, timestamp, step, strict=True)
        return of_metrics((Metric("", *triple) for triple in triples), kind, steps)
    if not all(map(lt, step, islice(step, 1, None))):
        ordered = sorted(zip(step, timestamp, value, strict=True))
        step, timestamp, value = (list(column) for column in zip(*ordered, strict=True))
    start = 0 if steps.least is None else bisect_left(step, steps.least)
    stop = len(step) if steps.most is None else bisect_right(step, steps.most)
    part = slice(start, max(start, stop))
    kept = step[part]
    return Points(kept, timestamp[part], value[part], [None] * len(kept))
