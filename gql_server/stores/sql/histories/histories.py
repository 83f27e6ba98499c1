"""The points of many series, read in the order of MLflow's index on run, key and step.

Sorting by time as well takes a database longer than the rest of the statement. It is done here, for the
series in which points share a step.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gql_server.stores.limit_errors import too_many_points
from gql_server.stores.sql.histories.array_points import read_arrays
from gql_server.stores.sql.histories.counted_points import read_counted
from gql_server.stores.sql.histories.points import PointColumns
from gql_server.stores.sql.histories.sampled_points import SampledPoints, SampleLimits
from gql_server.stores.sql.histories.short_points import between, read_short
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.spans import aligned, spans_by_count
from gql_server.stores.text_validation import is_storable
from schema.ports.table import Many, Span
from schema.ports.tracking import Sample, Series


def read_histories(
    session: Session, series: Sequence[Series], steps: tuple[int | None, int | None], limit: int
) -> Many:
    """Return the points of each series by step, timestamp and value, a NaN after the numbers.

    Raise `LimitExceeded` for more than `limit` points.
    """
    distinct = _distinct(series)
    if session.on_event_loop:
        points, spans = read_short(session, distinct, steps, lambda counts: _check(counts, limit))
    else:
        read: Any = read_arrays if session.dialect.unnests_arrays else _read_rows
        points, spans = read(session, distinct, between(steps), limit)
    points.sort_ties(spans.values())
    session.count_points(len(points))
    many: Many = points.many(aligned(series, spans))
    return many


def read_samples(
    session: Session,
    series: Sequence[Series],
    steps: tuple[int | None, int | None],
    sample: Sample,
    limits: SampleLimits,
) -> Many:
    """Return a sample of the points of each series; at most one series is in memory as a whole.

    Every database returns the points as rows: on Postgres, parsing arrays takes as long. Raise
    `LimitExceeded`, before any point is read, if a limit would be exceeded.
    """
    distinct = _distinct(series)
    if session.on_event_loop:
        return _short_samples(session, distinct, steps, sample, limits).many(series)
    points, _ = read_counted(
        session,
        distinct,
        between(steps),
        lambda counts: SampledPoints(distinct, sample, limits).check(counts),
    )
    return points.many(series)


def _short_samples(
    session: Session,
    distinct: Sequence[Series],
    steps: tuple[int | None, int | None],
    sample: Sample,
    limits: SampleLimits,
) -> SampledPoints:
    samples = SampledPoints(distinct, sample, limits)
    points, spans = read_short(session, distinct, steps, samples.check)
    for one, span in spans.items():
        samples.add(one, points.array(span))
    return samples


def _read_rows(
    session: Session, series: Sequence[Series], within: Conditions, limit: int
) -> tuple[PointColumns, dict[Series, Span]]:
    def make(counts: Mapping[Series, int]) -> PointColumns:
        _check(counts, limit)
        return PointColumns()

    points, counts = read_counted(session, series, within, make)
    return points, spans_by_count(counts)


def _check(counts: Mapping[Series, int], limit: int) -> None:
    if sum(counts.values()) > limit:
        raise too_many_points(limit)


def _distinct(series: Sequence[Series]) -> list[Series]:
    return [one for one in dict.fromkeys(series) if is_storable(one[1])]
