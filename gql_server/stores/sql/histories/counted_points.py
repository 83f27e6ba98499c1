"""Points a row each, read without the names of run and key.

How many points each series has is counted before, over the index alone and in the same state of the
database. The count also is what a bound is held against, before any point is read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Final, Protocol, TypeVar

from sqlalchemy import ColumnElement, func, select

from gql_server.stores.sql.keyed_table import KeyedTable
from gql_server.stores.sql.metric_values import value_of
from gql_server.stores.sql.session import Row, Session
from gql_server.stores.sql.tables import METRICS
from schema.ports.errors import StoreUnavailable
from schema.ports.tracking import Series

_MOST_BLOCKS: Final = 4
_ATTEMPTS: Final = 3

_Conditions = Sequence[ColumnElement[bool]]


class Taker(Protocol):
    """What takes points as they are read."""

    def take(self, chunks: Iterator[Sequence[Row]], counts: Mapping[Series, int]) -> bool:
        """Take rows that come series by series; say whether they are as many as were counted."""
        ...


_Taker = TypeVar("_Taker", bound=Taker)


def read_counted(
    reading: Session,
    logged: KeyedTable,
    series: Sequence[Series],
    within: _Conditions,
    make: Callable[[Mapping[Series, int]], _Taker],
) -> tuple[_Taker, Mapping[Series, int]]:
    """Return who took the points of the series, and how many each has, in the order in which they came.

    `make` gets the counts before any point is read, and may raise.
    """
    passes = [
        [*conditions, *within]
        for run_ids, keys in _blocks(series)
        for conditions in logged.conditions(reading.dialect, run_ids, keys)
    ]
    reading.snapshot()
    for _ in range(_ATTEMPTS):
        counts = [_count(reading, conditions) for conditions in passes]
        total = {name: size for count in counts for name, size in count.items()}
        taker = make(total)
        if all(_fetch(reading, *one, taker) for one in zip(passes, counts, strict=True)):
            return taker, total
    message = "The metrics change faster than they can be read."
    raise StoreUnavailable(message)


def _blocks(series: Sequence[Series]) -> list[tuple[Sequence[str], Collection[str]]]:
    """Return runs with the keys to read of each, so that few or no points are read in vain."""
    keys: dict[str, set[str]] = {}
    for run_id, key in series:
        keys.setdefault(run_id, set()).add(key)
    blocks: dict[frozenset[str], list[str]] = {}
    for run_id, some in keys.items():
        blocks.setdefault(frozenset(some), []).append(run_id)
    if len(blocks) > _MOST_BLOCKS:
        return [(list(keys), frozenset().union(*blocks))]
    return [(run_ids, some) for some, run_ids in blocks.items()]


def _count(reading: Session, conditions: _Conditions) -> dict[Series, int]:
    names = METRICS.c.run_uuid, METRICS.c.key
    statement = select(*names, func.count()).where(*conditions).group_by(*names).order_by(*names)
    return {(run_id, key): count for run_id, key, count in reading.rows(statement)}


def _fetch(reading: Session, conditions: _Conditions, count: Mapping[Series, int], taker: Taker) -> bool:
    metrics = METRICS.c
    statement = (
        select(metrics.step, metrics.timestamp, value_of(METRICS))
        .where(*conditions)
        .order_by(metrics.run_uuid, metrics.key, metrics.step)
    )
    with closing(reading.chunks(statement)) as chunks:
        return taker.take(chunks, count)
