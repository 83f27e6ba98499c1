"""The points of one history as columns."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from mlflow.entities import Metric

from gql_server.stores.mlflow import entity_tables
from gql_server.stores.mlflow.history_request import HistoryRequest
from gql_server.stores.point_arrays import PointArray, columns_of, concatenated, point_array, sampled
from gql_server.stores.sampling import sampled_indexes
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, Table
from schema.ports.tracking import Sample

_COLUMNS = ("step", "timestamp", "value", "non_finite")


class Points(NamedTuple):
    """The points of one history, in the port's order; all columns have the same length."""

    step: Sequence[int]
    timestamp: Sequence[int]
    value: Sequence[float | None]
    non_finite: Sequence[str | None]


def joined_histories(histories: Iterable[Points]) -> Many:
    """Return several histories as one table."""
    columns: tuple[list[Any], ...] = ([], [], [], [])
    spans = []
    for history in histories:
        start = len(columns[0])
        for column, part in zip(columns, history, strict=True):
            column.extend(part)
        spans.append((start, len(columns[0])))
    return Many(Table(len(columns[0]), dict(zip(_COLUMNS, columns, strict=True))), spans)


def points_from_metrics(metrics: Iterable[Metric], kind: StoreKind, request: HistoryRequest) -> Points:
    """Return the requested points of one history from MLflow's entities."""
    rows = entity_tables.points_of([metrics], kind, request.from_step, request.to_step).rows
    return Points(*(rows[name] for name in _COLUMNS))


def array_from_metrics(metrics: Iterable[Metric], kind: StoreKind, request: HistoryRequest) -> PointArray:
    """Return the requested points of a part of one history as an array, from MLflow's entities."""
    first, last = (
        -math.inf if request.from_step is None else request.from_step,
        math.inf if request.to_step is None else request.to_step,
    )
    points = ((point.step, point.timestamp, point.value) for point in metrics if first <= point.step <= last)
    return point_array(points, largest_is_infinite=kind in entity_tables.LARGEST_IS_INFINITE)


def sample_of_arrays(parts: Sequence[PointArray], sample: Sample) -> Points:
    """Return a sample of one history that was read in parts."""
    columns = columns_of([sampled(concatenated(parts), sample)])
    return Points(*(columns[name] for name in _COLUMNS))


def sample_of_points(points: Points, sample: Sample) -> Points:
    """Return a sample of one history."""
    if len(points.step) <= sample.max_points:
        return points
    steps, values = np.array(points.step, np.int64), np.array(points.value, np.float64)
    indexes = sampled_indexes(steps, values, sample).tolist()
    return Points(*([column[index] for index in indexes] for column in points))
