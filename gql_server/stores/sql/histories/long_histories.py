"""Histories of any length: counted over the index alone, and read a part at a time."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select, true

from gql_server.stores.ids import check_run_ids
from gql_server.stores.sql.dialect import same_text, storable
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.tables import METRICS
from schema.ports.long_histories import PointPosition
from schema.ports.non_finite import split_stored
from schema.ports.table import Table
from schema.ports.tracking import Series


class _Store(Protocol):
    _reader: SessionPool
    _workspace: Callable[[], str | None]


class SqlLongHistories:
    """The part of the port over MLflow's tables that long histories are read by."""

    async def count_points(self: _Store, series: Sequence[Series]) -> Sequence[int] | None:
        """Count the points of each metric, in a statement over the index."""
        check_run_ids({run_id for run_id, _ in series})
        logged = KeyedTable(METRICS, self._workspace())
        return await self._reader.read(lambda reading: _count(reading, logged, series))

    async def points_after(self: _Store, series: Series, after: PointPosition | None, first: int) -> Table:
        """Return the first points of one metric behind a place, by step, timestamp and value."""
        check_run_ids([series[0]])
        logged = KeyedTable(METRICS, self._workspace())
        return await self._reader.read(lambda reading: _behind(reading, logged, series, after, first))


def _count(reading: Session, logged: KeyedTable, series: Sequence[Series]) -> list[int]:
    run_ids = list(dict.fromkeys(run_id for run_id, _ in series))
    keys = {key for _, key in series}
    names = METRICS.c.run_uuid, METRICS.c.key
    counts: dict[Series, int] = {}
    # Of one key among many the index finds the points; of most keys it is quicker to count them all.
    for conditions in logged.conditions(reading.dialect, run_ids, keys if len(keys) == 1 else None):
        statement = select(*names, func.count()).where(*conditions).group_by(*names)
        counts |= {(run_id, key): count for run_id, key, count in reading.rows(statement)}
    return [counts.get(one, 0) for one in series]


def _behind(
    reading: Session, logged: KeyedTable, series: Series, after: PointPosition | None, first: int
) -> Table:
    run_id, key = series
    metrics = METRICS.c
    rows: Sequence[Any] = ()
    if storable(key):
        own = [metrics.run_uuid == run_id, same_text(reading.dialect, metrics.key, key)]
        behind = [] if after is None else [_is_behind(after)]
        statement = (
            select(metrics.step, metrics.timestamp, value_of(METRICS))
            .where(*own, *behind, *logged.in_workspace())
            .order_by(metrics.step, metrics.timestamp, _rank(), metrics.value)
            .limit(first)
        )
        rows = reading.rows(statement)
    steps, timestamps, stored = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    values, non_finite = split_stored(stored)
    columns = {"step": steps, "timestamp": timestamps, "value": values, "non_finite": non_finite}
    return Table(len(rows), {**columns, "stored": stored})


def _rank() -> ColumnElement[int]:
    return case((METRICS.c.is_nan == true(), 1), else_=0)


def _is_behind(place: PointPosition) -> ColumnElement[bool]:
    metrics = METRICS.c
    step, timestamp, value = place
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
