"""Histories of many metrics in one call."""

import asyncio
import time
import tracemalloc

import pytest
from sqlalchemy import Engine, text

from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import LimitExceeded
from tests.support.garbage_collection import without_garbage_collection
from tests.support.limits import LIMITS, store_limits
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import insert_experiment, insert_points, insert_runs, run_rows

_POINT = ("step", "timestamp", "value")


async def test_points_with_equal_steps_are_sorted_by_time_and_value(
    tracking: SqlTracking, engine: Engine
) -> None:
    """Points are sorted by step, timestamp and value, a NaN last, in every store."""
    a, b = insert_runs(engine, insert_experiment(engine, 5), run_rows(2))
    insert_points(engine, a, "m", [(0, 9, 1.0), (0, 3, 2.0), (-2, 5, 3.0), (0, 3, -1.0), (7, 1, 0.5)])
    insert_points(engine, b, "m", [(0, 0, 0.0)])
    with engine.begin() as connection:
        row = "'m', 0, 3, 0, '{}', {}".format(a, "1" if engine.dialect.name != "postgresql" else "true")
        columns = "metrics.key, value, timestamp, step, run_uuid, is_nan".replace(
            "metrics.key", _quoted(engine)
        )
        connection.execute(text(f"INSERT INTO metrics ({columns}) VALUES ({row})"))  # noqa: S608
    result = await tracking.histories([(b, "m"), (a, "m")], None, None)
    assert rows_by_parent(result, *_POINT) == [
        [(0, 0, 0.0)],
        [(-2, 5, 3.0), (0, 3, -1.0), (0, 3, 2.0), (0, 3, None), (0, 9, 1.0), (7, 1, 0.5)],
    ]
    assert result.rows["non_finite"].count("NAN") == 1


def _quoted(engine: Engine) -> str:
    return engine.dialect.identifier_preparer.quote("key")


async def test_only_requested_series_and_steps_are_returned(tracking: SqlTracking, engine: Engine) -> None:
    """Runs may have different metrics, and one twice; steps are limited at both ends."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(7))
    for number, id_ in enumerate(ids):
        for key in ("a", "b", "c"):
            insert_points(engine, id_, key, [(step, step, number + step / 10) for step in range(4)])
    series = [(id_, "abc"[number % 3]) for number, id_ in enumerate(ids)]
    series += [(ids[0], "b"), (ids[0], "a"), (ids[0], "none"), ("f" * 32, "a"), (ids[1], "B\x00")]
    result = await tracking.histories(series, 1, 2)
    owner = [*range(7), 0, 0]
    expected = [[(step, step, number + step / 10) for step in (1, 2)] for number in owner]
    assert rows_by_parent(result, *_POINT) == [*expected, [], [], []]
    assert rows_by_parent(await tracking.histories(series[:1], None, -1), *_POINT) == [[]]
    assert rows_by_parent(await tracking.histories([], None, None), *_POINT) == []


async def test_floats_are_exact(tracking: SqlTracking, engine: Engine) -> None:
    """No bit of a value is lost, and an integral value is a float."""
    (a,) = insert_runs(engine, insert_experiment(engine, 5), run_rows(1))
    values = [0.1, 1e-300, 123456789.12345679, 1.7976931348623155e308, 2.0, -1e22]
    insert_points(
        engine, a, "m", [(2**63 - 1, 2**53 + 1 + number, value) for number, value in enumerate(values)]
    )
    result = await tracking.histories([(a, "m")], None, None)
    assert list(map(repr, result.rows["value"])) == list(map(repr, values))
    assert (result.rows["step"][0], result.rows["timestamp"][0]) == (2**63 - 1, 2**53 + 1)


async def test_too_many_points_are_refused_before_reading(engine: Engine, statements: list[str]) -> None:
    """The error names the setting and what to do; as many points as the limit are returned."""
    a, b = insert_runs(engine, insert_experiment(engine, 5), run_rows(2))
    for id_ in (a, b):
        insert_points(engine, id_, "m", [(step, step, 1.0) for step in range(50)])
    tracking = SqlTracking(engine, store_limits(max_points=99))
    await tracking.ready()
    statements.clear()
    with pytest.raises(LimitExceeded, match=r"99 .*GQL_MAX_POINTS.*fromStep"):
        await tracking.histories([(a, "m"), (b, "m")], None, None)
    assert len(statements) == 1
    assert (await tracking.histories([(a, "m"), (b, "m")], 1, None)).rows.size == 98
    await tracking.close()


async def test_points_are_read_as_arrays(tracking: SqlTracking, engine: Engine) -> None:
    """A point takes fewer than 70 bytes; its numbers as Python objects take 120."""
    (a,) = insert_runs(engine, insert_experiment(engine, 5), run_rows(1))
    insert_points(engine, a, "m", [(step, 10**12 + step, step / 7) for step in range(1000, 6000)])
    await tracking.histories([(a, "m")], None, None)  # builds what is kept
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        result = await tracking.histories([(a, "m")], None, None)
        await tracking.ready()  # asyncpg's buffer holds what was read last
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.rows.size == 5000
    assert after - before < 70 * 5000


async def test_hundred_thousand_points_do_not_block_the_loop(engine: Engine, statements: list[str]) -> None:
    """They take three statements at most, the first on the event loop, and do not block the event loop."""
    ids = insert_runs(engine, insert_experiment(engine, 5), run_rows(20))
    for id_ in ids:
        insert_points(engine, id_, "m", [(step, step, step / 7) for step in range(5000)])
    tracking = SqlTracking(engine, LIMITS.store)
    await tracking.ready()
    await tracking.ready()
    statements.clear()
    pauses = []

    async def measure_pauses() -> None:
        while True:
            # The CPU time of this process: pauses because of other processes do not count.
            start = time.process_time()
            await asyncio.sleep(0.001)
            pauses.append(time.process_time() - start)

    with without_garbage_collection():
        measuring = asyncio.create_task(measure_pauses())
        result = await tracking.histories([(id_, "m") for id_ in ids], None, None)
        measuring.cancel()
    assert result.rows.size == 100_000
    assert len(statements) <= 3
    assert max(pauses) < 0.25  # 0.01 is usual
    await tracking.close()
