"""Short reads take place on the event loop, and what is not short in a worker thread."""

import asyncio
import random
import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import Engine, text, update

from gql_server.stores.sql import session_pool
from gql_server.stores.sql import tracking as tracking_module
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.short_reads import SHORT_POINTS
from gql_server.stores.sql.snapshot import Snapshot
from gql_server.stores.sql.tables import RUNS
from gql_server.stores.sql.time_slice import TimeSlice
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.non_finite import LARGEST_FLOAT
from schema.ports.tracking import Sample
from tests.support.schema.port_results import rows_by_parent
from tests.support.stores.sql_rows import insert_experiment, insert_points, insert_runs, run_rows

_LONG = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) SELECT max(x) FROM n"
)
_COLUMNS = ("step", "timestamp", "value", "non_finite")
sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def _thread(_: Session) -> int:
    return threading.get_ident()


@sqlite
async def test_short_reads_of_sqlite_need_no_thread(tracking: SqlTracking) -> None:
    """A short read runs on the event loop, alone and in a snapshot, and a long one does not."""
    await tracking.ready()
    here = threading.get_ident()
    pool = tracking._pool  # noqa: SLF001
    snapshot = Snapshot(pool)
    assert await pool.read(_thread, short=True) == here
    assert await snapshot.read(_thread, short=True) == here
    assert await pool.read(_thread) != here
    assert await snapshot.read(_thread) != here
    assert await snapshot.read(_thread, short=True) == here
    snapshot.close()


@sqlite
async def test_event_loop_does_not_wait_for_a_lock(tracking: SqlTracking, engine: Engine) -> None:
    """A read of a file that a writer has locked waits in a thread until the writer ends."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    await tracking.ready()
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        reading = asyncio.ensure_future(tracking.runs_by_id([run_id], {"name"}))
        # Each of these would be late by the whole wait for the lock.
        for _ in range(20):
            await asyncio.sleep(0)
        assert not reading.done()
        writer.execute("COMMIT")
        assert (await reading).index == [0]


@sqlite
async def test_long_statement_leaves_the_event_loop(
    tracking: SqlTracking, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that exceeds its time is repeated in a thread, in the same state of the database."""
    with closing(sqlite3.connect(str(engine.url.database))) as file:
        file.execute("PRAGMA journal_mode = WAL")
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    await tracking.ready()
    operation = tracking.snapshot(single_read=False)
    before = (await operation.runs_by_id([run_id], {"name"})).rows["name"]
    with engine.begin() as connection:
        connection.execute(update(RUNS).values(name="later"))
    monkeypatch.setattr(session_pool, "TimeSlice", lambda: TimeSlice(0))

    def read(session: Session) -> tuple[int, int]:
        ((largest,),) = session.rows(text(_LONG))
        return largest, threading.get_ident()

    largest, thread = await operation._reader.read(read, short=True)  # noqa: SLF001
    assert largest == 100_000
    assert thread != threading.get_ident()
    assert (await operation.runs_by_id([run_id], {"name"})).rows["name"] == before
    operation.release()
    assert (await tracking.runs_by_id([run_id], {"name"})).rows["name"] == ("later",)


@pytest.mark.parametrize("steps", [(None, None), (-3, None), (None, 40), (2, 30)])
async def test_short_histories_are_those_that_a_thread_reads(
    tracking: SqlTracking,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    steps: tuple[int | None, int | None],
) -> None:
    """Both ways return the same points and samples: of ties, gaps, infinities and series without points."""
    randomness = random.Random(0)  # noqa: S311 - test data
    ids = insert_runs(engine, insert_experiment(engine, 1), run_rows(3))
    # MLflow stores infinities as the largest floats.
    values = [0.5, -1e300, float("nan"), LARGEST_FLOAT, -LARGEST_FLOAT]
    for run_id in ids[:2]:
        for key in ("a", "b"):
            points = {
                (randomness.randrange(-5, 60), randomness.randrange(3), randomness.choice(values))
                for _ in range(randomness.randrange(1, 90))
            }
            insert_points(engine, run_id, key, list({repr(point): point for point in points}.values()))
    series = [(run_id, key) for run_id in ids for key in ("b", "a", "none")] + [(ids[0], "a")]
    for sample in (None, Sample(7, "lttb"), Sample(9, "min_max"), Sample(4, "every_nth")):
        short = await tracking.histories(series, *steps, sample)
        with monkeypatch.context() as patched:
            patched.setattr(tracking_module, "SHORT_SERIES", -1)
            long = await tracking.histories(series, *steps, sample)
        assert rows_by_parent(short, *_COLUMNS) == rows_by_parent(long, *_COLUMNS)
        assert short.rows.size > 0


async def test_history_that_is_not_short_is_read(tracking: SqlTracking, engine: Engine) -> None:
    """One point more than a short read has is read by a thread, beside a short series."""
    ids = insert_runs(engine, insert_experiment(engine, 1), run_rows(2))
    await tracking.ready()
    insert_points(engine, ids[0], "m", [(step, 0, 1.0) for step in range(SHORT_POINTS + 1)])
    insert_points(engine, ids[1], "m", [(0, 0, 2.0)])
    histories = await tracking.histories([(id_, "m") for id_ in ids], None, None)
    assert [stop - start for start, stop in histories.spans] == [SHORT_POINTS + 1, 1]
    sample = await tracking.histories([(id_, "m") for id_ in ids], None, None, Sample(5, "lttb"))
    assert [stop - start for start, stop in sample.spans] == [5, 1]
