"""New points of many series: counted in one statement, and read in one statement for some hundred series."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Select, and_, or_, select
from typing_extensions import override

from gql_server.stores.ids import check_run_ids
from gql_server.stores.sql.histories.counted_points import count_statement
from gql_server.stores.sql.histories.points import PointColumns
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.runs import runs_by_id
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import METRICS
from gql_server.stores.text_validation import is_storable
from schema.ports.point_feed import PointFeed, SeriesStates
from schema.ports.table import Many, Span
from schema.ports.tracking import Series

_SERIES_IN_STATEMENT: Final = 250
"""SQLite takes conditions of up to 1,000 levels, and MySQL plans the ranges of a few hundred quickly."""


class SqlPointFeed(PointFeed):
    """The part of the port that finds new points, over MLflow's tables."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @override
    async def series_states(self, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
        check_run_ids(run_ids)
        return await self._reader.read(lambda session: _states(session, run_ids, keys))

    @override
    async def points_from(self, series: Mapping[Series, int | None]) -> Many:
        check_run_ids({run_id for run_id, _ in series})
        return await self._reader.read(lambda session: _points(session, series))


def _states(session: Session, run_ids: Sequence[str], keys: Collection[str] | None) -> SeriesStates:
    runs = runs_by_id(session, run_ids, {"run_id", "status"})
    statuses = {
        run_id: runs.rows["status"][index]
        for run_id, index in zip(run_ids, runs.index, strict=True)
        if index is not None
    }
    counts: dict[Series, int] = {}
    for conditions in KeyedTable(METRICS).conditions(session, list(statuses), keys):
        rows = session.rows(count_statement(conditions))
        counts |= {(run_id, key): count for run_id, key, count in rows if keys is None or key in keys}
    return SeriesStates(statuses, counts, counted=True)


def _points(session: Session, series: Mapping[Series, int | None]) -> Many:
    columns = PointColumns()
    spans: dict[Series, Span] = dict.fromkeys(series, (0, 0))
    storable = [(one, since) for one, since in series.items() if is_storable(one[1])]
    for start in range(0, len(storable), _SERIES_IN_STATEMENT):
        statement = _statement(session, storable[start : start + _SERIES_IN_STATEMENT])
        _collect(session, statement, columns, spans)
    return columns.many(list(spans.values()))


def _statement(session: Session, series: Sequence[tuple[Series, int | None]]) -> Select[Any]:
    metrics = METRICS.c
    names = metrics.run_uuid, metrics.key
    # The primary key begins with the key and the timestamp: it finds the newest points in any revision.
    return (
        select(*names, metrics.step, metrics.timestamp, value_of(METRICS))
        .where(or_(*(_since(session, *one) for one in series)), *KeyedTable(METRICS).in_workspace(session))
        .order_by(*names)
    )


def _since(session: Session, series: Series, since: int | None) -> ColumnElement[bool]:
    metrics = METRICS.c
    run_id, key = series
    later = [] if since is None else [metrics.timestamp >= since]
    return and_(metrics.run_uuid == run_id, session.dialect.same_text(metrics.key, key), *later)


def _collect(
    session: Session, statement: Select[Any], columns: PointColumns, spans: dict[Series, Span]
) -> None:
    """Add the rows of a statement, in which those of a series are consecutive."""
    with closing(session.chunks(statement, stream=True)) as chunks:
        for series, rows in _grouped(chunks):
            start, before = len(columns), spans.get(series, (0, 0))
            _, _, steps, timestamps, values = zip(*rows, strict=True)
            columns.extend(np.array(steps), np.array(timestamps), np.array(values, np.float64))
            # A series continues in the next chunk.
            spans[series] = (before[0] if before[1] else start, len(columns))


def _grouped(chunks: Iterator[Sequence[Row]]) -> Iterator[tuple[Series, Iterator[Row]]]:
    for chunk in chunks:
        yield from groupby(chunk, key=itemgetter(0, 1))
