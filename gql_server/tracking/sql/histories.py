"""The points of metrics, of many series in one pass over the index that MLflow has on run, key and step.

They come in the order of that index: sorting by time as well takes a database longer than all the rest, and
is left out where no two points of a series share a step.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from gql_server.tracking.sql.array_points import read_arrays
from gql_server.tracking.sql.counted_points import read_counted
from gql_server.tracking.sql.dialect import storable
from gql_server.tracking.sql.logged import Logged
from gql_server.tracking.sql.reading import Reading
from gql_server.tracking.sql.spans import aligned
from gql_server.tracking.sql.tables import METRICS
from schema.table import Many
from schema.tracking import Series


def read_histories(
    reading: Reading,
    series: Sequence[Series],
    steps: tuple[int | None, int | None],
    workspace: str | None,
    most: int,
) -> Many:
    """Return the points of each series by step, timestamp and value, a NaN after the numbers.

    Raises `LimitExceeded` where there are more than `most`.
    """
    distinct = [one for one in dict.fromkeys(series) if storable(one[1])]
    within = list(_between(steps))
    read: Any = read_arrays if reading.dialect == "postgresql" else read_counted
    points, spans = read(reading, Logged(METRICS, workspace), distinct, within, most)
    points.settle_ties(spans.values())
    many: Many = points.many(aligned(series, spans))
    return many


def _between(steps: tuple[int | None, int | None]) -> Iterator[ColumnElement[bool]]:
    first, last = steps
    if first is not None:
        yield METRICS.c.step >= first
    if last is not None:
        yield METRICS.c.step <= last
