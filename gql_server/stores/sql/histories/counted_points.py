"""Points read as one row each, without the run and key of each row.

The points of each series are counted first, over the index alone and in the same state of the database. The
count shows where each series ends, and is compared with the limit before any point is read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Select, func, select

from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.search_conditions import Conditions
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import METRICS
from schema.ports.errors import StoreUnavailable
from schema.ports.tracking import Series

_MAX_BLOCKS: Final = 4
_ATTEMPTS: Final = 3
_STREAMED_POINTS: Final = 10_000
"""Points from which they are fetched in parts: a cursor of the database costs a round trip for each part."""


class PointCollector(Protocol):
    """Collects points as they are read."""

    def collect(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Add rows grouped by series; return whether there are as many as were counted."""
        ...


_Collector = TypeVar("_Collector", bound=PointCollector)


def read_counted(
    session: Session,
    series: Sequence[Series],
    within: Conditions,
    make: Callable[[Mapping[Series, int]], _Collector],
) -> tuple[_Collector, Mapping[Series, int]]:
    """Return a collector with the points of the series, and the number of points of each in their order.

    `make` makes the collector from the counts before any point is read, and may raise.
    """
    blocks = [
        [*conditions, *within]
        for run_ids, keys in _blocks(series)
        for conditions in KeyedTable(METRICS).conditions(session, run_ids, keys)
    ]
    session.begin_snapshot()
    for _ in range(_ATTEMPTS):
        counts = [_count(session, conditions) for conditions in blocks]
        total = {name: size for count in counts for name, size in count.items()}
        collector = make(total)
        if all(_fetch(session, *block, collector) for block in zip(blocks, counts, strict=True)):
            return collector, total
    message = "The metrics change faster than they can be read."
    raise StoreUnavailable(message)


def _blocks(series: Sequence[Series]) -> list[tuple[Sequence[str], Collection[str]]]:
    """Return runs with the keys to read of each, so that few unwanted points or none are read."""
    keys: dict[str, set[str]] = {}
    for run_id, key in series:
        keys.setdefault(run_id, set()).add(key)
    blocks: dict[frozenset[str], list[str]] = {}
    for run_id, run_keys in keys.items():
        blocks.setdefault(frozenset(run_keys), []).append(run_id)
    if len(blocks) > _MAX_BLOCKS:
        return [(list(keys), frozenset().union(*blocks))]
    return [(run_ids, run_keys) for run_keys, run_ids in blocks.items()]


def count_statement(conditions: Conditions) -> Select[Any]:
    """Return the statement that counts the points of each series: rows of run, key and count."""
    names = METRICS.c.run_uuid, METRICS.c.key
    return select(*names, func.count()).where(*conditions).group_by(*names).order_by(*names)


def points_statement(conditions: Conditions) -> Select[Any]:
    """Return the statement that reads the points in the order in which `count_statement` counts them."""
    metrics = METRICS.c
    columns = metrics.step, metrics.timestamp, value_of(METRICS)
    return select(*columns).where(*conditions).order_by(metrics.run_uuid, metrics.key, metrics.step)


def _count(session: Session, conditions: Conditions) -> dict[Series, int]:
    return {(run_id, key): count for run_id, key, count in session.rows(count_statement(conditions))}


def _fetch(
    session: Session, conditions: Conditions, count: Mapping[Series, int], collector: PointCollector
) -> bool:
    statement, stream = points_statement(conditions), sum(count.values()) > _STREAMED_POINTS
    with closing(session.chunks(statement, stream=stream)) as chunks:
        return collector.collect(chunks, count)
