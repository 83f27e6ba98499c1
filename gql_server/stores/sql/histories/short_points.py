"""The points of a few short series, by statements that are prepared once.

A series that is not short ends the read, and a worker thread reads it.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from sqlalchemy import ColumnElement, bindparam

from gql_server.stores.sql.histories.array_points import append_arrays, array_values, arrays_statement
from gql_server.stores.sql.histories.counted_points import count_statement, points_statement
from gql_server.stores.sql.histories.points import PointColumns
from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.prepared_statement import PreparedStatement
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.short_reads import SHORT_POINTS, LongResult
from gql_server.stores.sql.spans import spans_by_count
from gql_server.stores.sql.tables import METRICS
from schema.ports.table import Span
from schema.ports.tracking import Series

_Steps: TypeAlias = tuple[int | None, int | None]
_Check: TypeAlias = Callable[[Mapping[Series, int]], object]


def read_short(
    session: Session, series: Sequence[Series], steps: _Steps, check: _Check
) -> tuple[PointColumns, dict[Series, Span]]:
    """Return the points of each series by step, and the span of each series that has points.

    Raise `LongResult` for more than `SHORT_POINTS` points. `check` may refuse the number of points of each
    series.
    """
    read = _read_arrays if session.dialect.unnests_arrays else _read_rows
    return read(session, series, steps, check)


def between(steps: _Steps) -> list[ColumnElement[bool]]:
    """Return the conditions that a step is in a range; a prepared statement gets other steps by name."""
    first, last = steps
    bounds = []
    if first is not None:
        bounds.append(METRICS.c.step >= bindparam("from_step", first, METRICS.c.step.type))
    if last is not None:
        bounds.append(METRICS.c.step <= bindparam("to_step", last, METRICS.c.step.type))
    return bounds


def _step_values(steps: _Steps) -> dict[str, int]:
    """Return the named values of `between`."""
    named = zip(("from_step", "to_step"), steps, strict=True)
    return {name: step for name, step in named if step is not None}


def _read_arrays(
    session: Session, series: Sequence[Series], steps: _Steps, check: _Check
) -> tuple[PointColumns, dict[Series, Span]]:
    statement = session.keep(
        ("arrays", *(step is None for step in steps), session.workspace),
        lambda: session.prepare(arrays_statement(session, between(steps))),
    )
    # Each series has its share, so that a long one ends the read early.
    share = SHORT_POINTS // max(len(series), 1)
    rows = session.rows(statement, array_values(series, share) | _step_values(steps))
    counts = {series[number - 1]: size for number, size, *_ in rows}
    if any(size > share for size in counts.values()):
        raise LongResult
    check(counts)
    points = PointColumns()
    return points, dict(append_arrays(points, rows, series))


def _read_rows(
    session: Session, series: Sequence[Series], steps: _Steps, check: _Check
) -> tuple[PointColumns, dict[Series, Span]]:
    count, read = session.keep(
        ("points", *(step is None for step in steps), session.workspace),
        lambda: _count_and_read(session, between(steps)),
    )
    run_ids, keys = [run_id for run_id, _ in series], {key for _, key in series}
    batches = [values | _step_values(steps) for values in KeyedTable(METRICS).batches(session, run_ids, keys)]
    if any("keys" not in values for values in batches):
        raise LongResult
    session.begin_snapshot()
    counts = {(run_id, key): size for values in batches for run_id, key, size in session.rows(count, values)}
    if sum(counts.values()) > SHORT_POINTS:
        raise LongResult
    check(counts)
    points = PointColumns()
    if not points.collect(chain.from_iterable(session.chunks(read, values) for values in batches), counts):
        raise LongResult
    return points, spans_by_count(counts)


def _count_and_read(
    session: Session, within: Sequence[ColumnElement[bool]]
) -> tuple[PreparedStatement, PreparedStatement]:
    """Return the statements that count the points of each series, and that read them in the same order."""
    conditions = [*KeyedTable(METRICS).named_conditions(session, has_keys=True), *within]
    return session.prepare(count_statement(conditions)), session.prepare(points_statement(conditions))
