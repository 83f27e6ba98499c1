"""A store with a cache, for tests of the cached ports."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from gql_server.cache.cache import Cache
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.cached_store import CachedStore
from gql_server.cache.cached_tracking import CachedTracking
from gql_server.cache.memory_backend import MemoryBackend
from gql_server.cache.ttl import TimeToLive
from schema.ports.table import Many, One, Row, Rows, Table, value_at
from schema.ports.tracking import Pages
from tests.support.clock import Clock
from tests.support.schema.memory_tracking import MemoryTracking, Record
from tests.support.schema.record_strategies import experiment, metric, point, run

TTL = TimeToLive(finished=300.0, active=2.0)
RUN_IDS = [f"run{number}" for number in range(6)]
EXPERIMENT_IDS = ["0", "1", "2"]
KEYS = ["a", "b", "c"]

PortCall: TypeAlias = Callable[[Any], Awaitable[Any]]
"""A call of a port, which is its argument."""


@dataclass
class CacheStack:
    """A store that counts its calls, and the same store with a cache whose clock the test sets."""

    store: MemoryTracking
    cached_store: CachedStore
    cache: Cache
    clock: Clock

    def operation(
        self, principal: str | None = None, cache_control: CacheControl = CacheControl.DEFAULT
    ) -> CachedTracking:
        """Return the ports for the next operation."""
        tracking = self.cached_store.for_operation(principal, cache_control)
        assert isinstance(tracking, CachedTracking)
        return tracking

    def run(self, run_id: str) -> Record:
        """Return a run's record, which the test may change."""
        return next(
            run for experiment in self.store.stored for run in experiment["runs"] if run["run_id"] == run_id
        )


def make_stack(
    store: MemoryTracking | None = None, *, max_points: int = 1_000_000, cache_records: bool = True
) -> CacheStack:
    """Return a store, by default with `records()`, and an empty cache in memory."""
    clock = Clock()
    cache = Cache(MemoryBackend(10_000_000, clock=clock), max_entry_bytes=1_000_000, clock=clock)
    store = store or MemoryTracking(records(), include_related=True)
    cached_store = CachedStore(
        store, store.artifacts, cache, ttl=TTL, max_points=max_points, cache_records=cache_records
    )
    return CacheStack(store, cached_store, cache, clock)


def records() -> list[Record]:
    """Return three experiments: one with finished runs, one with active runs and an empty one."""
    return [
        experiment(
            experiment_id,
            tags=[{"key": key, "value": experiment_id} for key in KEYS[:index]],
            runs=[_run(number) for number in range(len(RUN_IDS)) if number % 2 == index],
        )
        for index, experiment_id in enumerate(EXPERIMENT_IDS)
    ]


def plain_values(result: Any, columns: Collection[str] = ()) -> Any:
    """Return a result as plain values, without the columns that were not requested."""
    if isinstance(result, Pages):
        positions = [result.position(row) for row in range(result.rows.size)]
        rows = [[_row(result.rows, row, columns) for row in range(*span)] for span in result.spans]
        return rows, list(result.has_next), positions
    if isinstance(result, One):
        return [None if row is None else _row(result.rows, row, columns) for row in result.index]
    if isinstance(result, Many):
        names = sorted(result.rows.columns)
        return [[_row(result.rows, row, names) for row in range(*span)] for span in result.spans]
    return list(result) if isinstance(result, Sequence) else result


def _run(number: int) -> Record:
    run_id = RUN_IDS[number]
    ended = number % 2 == 0
    return run(
        run_id,
        EXPERIMENT_IDS[number % 2],
        name=f"run é {number}",
        status="FINISHED" if ended else "RUNNING",
        ended_at=1000 + number if ended else None,
        params=[{"key": key, "value": f"{run_id}-{key}"} for key in KEYS[:number]],
        tags=[{"key": key, "value": key} for key in KEYS[: 3 - number]],
        metrics=[_metric(run_id, key, number) for key in KEYS],
    )


def _metric(run_id: str, key: str, number: int) -> Record:
    last = {"step": 2**62, "timestamp": 0, "value": None, "non_finite": "NAN"}
    return metric(
        run_id, key, **last, points=[*(point(step, value=step / 3) for step in range(number)), last]
    )


def _row(table: Table, row: int, columns: Collection[str]) -> dict[str, Any]:
    return {name: _value(value_at(table[name], row)) for name in columns if name in table.columns}


def _value(value: Any) -> Any:
    if isinstance(value, Rows):
        return [_value(row) for row in value]
    if isinstance(value, Row):
        return {name: getattr(value, name) for name in ("key", "value")}
    return repr(value)
