"""Points read as arrays, one row for each series.

On Postgres this takes half the time of a row for each point, with an index scan for each series. The arrays
are sent in Postgres' binary format, which numpy reads without an object for each number. In a text result
they are hexadecimal, which any driver decodes.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Double,
    Integer,
    LargeBinary,
    Select,
    String,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    true,
)

from gql_server.stores.limit_errors import too_many_points
from gql_server.stores.sql.histories.points import PointColumns
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import METRICS
from schema.ports.table import Span
from schema.ports.tracking import Series

_SERIES_PER_FETCH: Final = 50

_HEADER_BYTES: Final = 20
"""The dimensions and the element type of an array of one dimension."""
_STEPS: Final = np.dtype([("size", ">i4"), ("item", ">i8")])
_VALUES: Final = np.dtype([("size", ">i4"), ("item", ">f8")])
"""An element that is not null, after its size in bytes."""


def read_arrays(
    session: Session, series: Sequence[Series], within: Sequence[ColumnElement[bool]], limit: int
) -> tuple[PointColumns, dict[Series, Span]]:
    """Return the points of the series, and the span of each series."""
    points = PointColumns()
    spans: dict[Series, Span] = {}
    statement = arrays_statement(session, within).params(array_values(series, limit))
    for chunk in session.chunks(statement, size=_SERIES_PER_FETCH):
        spans |= append_arrays(points, chunk, series)
        if len(points) > limit:
            raise too_many_points(limit)
    return points, spans


def append_arrays(
    points: PointColumns, rows: Sequence[Row], series: Sequence[Series]
) -> Iterator[tuple[Series, Span]]:
    """Append the points of the statement's rows, and return the span of each series."""
    if not rows:
        return iter(())
    numbers, sizes, steps, timestamps, values = zip(*rows, strict=True)
    bounds = list(accumulate(sizes, initial=len(points)))
    points.extend(_items(steps, _STEPS), _items(timestamps, _STEPS), _items(values, _VALUES))
    return zip((series[number - 1] for number in numbers), pairwise(bounds), strict=True)


def array_values(series: Sequence[Series], limit: int) -> dict[str, Any]:
    """Return the named values of `arrays_statement`."""
    run_ids, keys = zip(*series, strict=True) if series else ((), ())
    return {"run_ids": list(run_ids), "series_keys": list(keys), "limit": limit + 1}


def arrays_statement(session: Session, within: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the statement that reads the series of `array_values`, up to one point more than its limit."""
    parameters = [bindparam(name, None, ARRAY(String)) for name in ("run_ids", "series_keys")]
    requested = func.unnest(*parameters).table_valued(
        column("run_id", String), column("key", String), with_ordinality="number", name="requested"
    )
    requested = requested.render_derived()
    of_series = [METRICS.c.run_uuid == requested.c.run_id, METRICS.c.key == requested.c.key]
    value = func.coalesce(value_of(METRICS), literal(math.nan, Double))
    points = (
        select(METRICS.c.step, METRICS.c.timestamp, value.label("value"))
        .where(*of_series, *within, *KeyedTable(METRICS).in_workspace(session))
        .order_by(METRICS.c.step)
        .limit(bindparam("limit", None, Integer))
        .correlate(requested)
        .subquery()
    )
    arrays = [func.array_send(func.array_agg(part), type_=LargeBinary).label(part.name) for part in points.c]
    aggregated = select(func.count().label("size"), *arrays).select_from(points).lateral()
    return (
        select(cast(requested.c.number, Integer), *aggregated.c)
        .select_from(requested.join(aggregated, true()))
        .where(aggregated.c.size > 0)
    )


def _items(arrays: Sequence[bytes], element: np.dtype[np.void]) -> NDArray[Any]:
    return np.frombuffer(b"".join(array[_HEADER_BYTES:] for array in arrays), element)["item"]
