"""Histories of any length: counted over the index alone, and read in parts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select, true
from typing_extensions import override

from gql_server.stores.ids import check_run_ids
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.reader import Reader
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import METRICS
from gql_server.stores.text_validation import is_storable
from schema.ports.long_histories import LongHistories, PointPosition
from schema.ports.non_finite import split_stored
from schema.ports.table import Table
from schema.ports.tracking import Series


class SqlLongHistories(LongHistories):
    """The part of the port that reads long histories, over MLflow's tables."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @override
    async def count_points(self, series: Sequence[Series]) -> Sequence[int] | None:
        check_run_ids({run_id for run_id, _ in series})
        return await self._reader.read(lambda session: _count(session, series))

    @override
    async def points_after(self, series: Series, after: PointPosition | None, first: int) -> Table:
        check_run_ids([series[0]])
        return await self._reader.read(lambda session: _points_after(session, series, after, first))


def _count(session: Session, series: Sequence[Series]) -> list[int]:
    run_ids = list(dict.fromkeys(run_id for run_id, _ in series))
    keys = {key for _, key in series}
    names = METRICS.c.run_uuid, METRICS.c.key
    counts: dict[Series, int] = {}
    # The index finds the points of one key among many; for several keys, counting all is faster.
    for conditions in KeyedTable(METRICS).conditions(session, run_ids, keys if len(keys) == 1 else None):
        statement = select(*names, func.count()).where(*conditions).group_by(*names)
        counts |= {(run_id, key): count for run_id, key, count in session.rows(statement)}
    return [counts.get(one, 0) for one in series]


def _points_after(session: Session, series: Series, after: PointPosition | None, first: int) -> Table:
    run_id, key = series
    metrics = METRICS.c
    rows: Sequence[Any] = ()
    if is_storable(key):
        of_series = [metrics.run_uuid == run_id, session.dialect.same_text(metrics.key, key)]
        later = [] if after is None else [_is_after(after)]
        statement = (
            select(metrics.step, metrics.timestamp, value_of(METRICS))
            .where(*of_series, *later, *KeyedTable(METRICS).in_workspace(session))
            .order_by(metrics.step, metrics.timestamp, _nan_rank(), metrics.value)
            .limit(first)
        )
        rows = session.rows(statement)
    steps, timestamps, stored = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    values, non_finite = split_stored(stored)
    columns = {"step": steps, "timestamp": timestamps, "value": values, "non_finite": non_finite}
    return Table(len(rows), {**columns, "stored": stored})


def _nan_rank() -> ColumnElement[int]:
    return case((METRICS.c.is_nan == true(), 1), else_=0)


def _is_after(position: PointPosition) -> ColumnElement[bool]:
    metrics = METRICS.c
    step, timestamp, value = position
    later = (
        false()
        if value is None
        else or_(metrics.is_nan == true(), metrics.value > literal(value, metrics.value.type))
    )
    return or_(
        metrics.step > step,
        and_(
            metrics.step == step,
            or_(metrics.timestamp > timestamp, and_(metrics.timestamp == timestamp, later)),
        ),
    )
