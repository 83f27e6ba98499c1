"""The points of metrics, of many series in one pass over the index that MLflow has on run, key and step.

They come in the order of that index: sorting by time as well takes a database longer than all the rest, and
is left out where no two points of a series share a step.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from gql_server.stores.limit_errors import too_many_points
from gql_server.stores.sql.dialect import storable
from gql_server.stores.sql.histories.array_points import read_arrays
from gql_server.stores.sql.histories.counted_points import read_counted
from gql_server.stores.sql.histories.points import PointColumns
from gql_server.stores.sql.histories.sampled_points import SampledPoints, SampleLimits
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.spans import aligned, spans_by_count
from gql_server.stores.sql.tables import METRICS
from schema.ports.table import Many, Span
from schema.ports.tracking import Sample, Series

_Within = Sequence[ColumnElement[bool]]


def read_histories(
    reading: Session,
    series: Sequence[Series],
    steps: tuple[int | None, int | None],
    workspace: str | None,
    most: int,
) -> Many:
    """Return the points of each series by step, timestamp and value, a NaN after the numbers.

    Raises `LimitExceeded` where there are more than `most`.
    """
    logged, distinct, within = KeyedTable(METRICS, workspace), _distinct(series), list(_between(steps))
    read: Any = read_arrays if reading.dialect == "postgresql" else _read_rows
    points, spans = read(reading, logged, distinct, within, most)
    points.settle_ties(spans.values())
    many: Many = points.many(aligned(series, spans))
    return many


def read_samples(
    reading: Session,
    series: Sequence[Series],
    steps: tuple[int | None, int | None],
    workspace: str | None,
    sample: Sample,
    limits: SampleLimits,
) -> Many:
    """Return a sample of the points of each series; never are all points of two series in memory.

    They come as rows from every database: on Postgres, arrays that become numbers here take as long.
    Raises `LimitExceeded`, before any point is read, where it would pass a limit.
    """
    logged, distinct = KeyedTable(METRICS, workspace), _distinct(series)
    points, _ = read_counted(
        reading,
        logged,
        distinct,
        list(_between(steps)),
        lambda counts: SampledPoints(distinct, counts, sample, limits),
    )
    return points.many(series)


def _read_rows(
    reading: Session, logged: KeyedTable, series: Sequence[Series], within: _Within, most: int
) -> tuple[PointColumns, dict[Series, Span]]:
    def make(counts: Mapping[Series, int]) -> PointColumns:
        if sum(counts.values()) > most:
            raise too_many_points(most)
        return PointColumns()

    points, counts = read_counted(reading, logged, series, within, make)
    return points, spans_by_count(counts)


def _distinct(series: Sequence[Series]) -> list[Series]:
    return [one for one in dict.fromkeys(series) if storable(one[1])]


def _between(steps: tuple[int | None, int | None]) -> Iterator[ColumnElement[bool]]:
    first, last = steps
    if first is not None:
        yield METRICS.c.step >= first
    if last is not None:
        yield METRICS.c.step <= last
