"""One operation reads one state of the database."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text, update

from gql_server.stores.sql.event_loop.factory import loop_reader_for
from gql_server.stores.sql.event_loop.loop_reader import LoopReader
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.short_reads import SHORT, SHORT_POINTS
from gql_server.stores.sql.snapshot import Snapshot
from gql_server.stores.sql.tables import PARAMS, RUNS
from gql_server.stores.sql.tracking import SqlSnapshot, SqlTracking
from schema.ports.columns import Columns
from schema.ports.errors import BadUserInput
from schema.ports.tracking import Page, Search
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.sql_rows import (
    insert_experiment,
    insert_params,
    insert_points,
    insert_runs,
    run_rows,
)
from tests.support.stores.store import Store

_NAME = frozenset({"name"})
_LIMITS = store_limits(database_threads=2)


@pytest.fixture(params=["sqlite", "mysql", "postgres", "postgres on the event loop"])
def database(request: pytest.FixtureRequest) -> Store:
    """Give an empty store in each kind of database, and twice for both ways to read Postgres."""
    store: Store = request.getfixturevalue(f"{request.param.split()[0]}_store")
    return store


@pytest.fixture
def loop_reader(request: pytest.FixtureRequest, database: Store) -> LoopReader | None:
    """Give the reader for the event loop, if the test is to read on it."""
    on_loop = "loop" in request.node.callspec.params["database"]
    return loop_reader_for(database.uri, _LIMITS) if on_loop else None


@pytest.fixture
async def tracking(engine: Engine, loop_reader: LoopReader | None) -> AsyncIterator[SqlTracking]:
    """Give the port over the database."""
    if engine.dialect.name == "sqlite":
        # Otherwise a reader delays a writer.
        with closing(sqlite3.connect(str(engine.url.database))) as file:
            file.execute("PRAGMA journal_mode = WAL")
    tracking = SqlTracking(engine, _LIMITS, loop_reader=loop_reader)
    yield tracking
    await tracking.close()


def _rename(engine: Engine, name: str) -> None:
    with engine.begin() as connection:
        connection.execute(update(RUNS).values(name=name))


async def _names(reads: SqlTracking | SqlSnapshot, run_id: str) -> tuple[str, str]:
    """Return the name of a run as a lookup reads it, and as a search does."""
    found = await reads.runs_by_id([run_id], _NAME)
    pages = await reads.runs([None], Search(), Page(1, None, _NAME))
    return found.rows["name"][0], pages.rows["name"][0]


async def test_reads_of_an_operation_are_of_one_state(tracking: SqlTracking, engine: Engine) -> None:
    """What is committed after the first read is not seen before the next operation."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    _rename(engine, "before")
    operation = tracking.snapshot(single_read=False)
    assert await _names(operation, run_id) == ("before", "before")
    _rename(engine, "after")
    assert await _names(operation, run_id) == ("before", "before")
    operation.release()
    following = tracking.snapshot(single_read=False)
    assert await _names(following, run_id) == ("after", "after")
    following.release()


async def test_released_snapshot_holds_no_result(tracking: SqlTracking) -> None:
    """The result of the last call in a worker thread is released before the response is encoded."""
    snapshot = Snapshot(tracking._pool)  # noqa: SLF001
    await snapshot.read(lambda _: "large")
    assert snapshot._last_call is not None  # noqa: SLF001
    snapshot.close()
    assert snapshot._last_call is None  # noqa: SLF001


@pytest.mark.parametrize("first", [10, SHORT + 1])
async def test_runs_and_their_params_are_of_one_state(
    tracking: SqlTracking, engine: Engine, first: int
) -> None:
    """What is committed between the statements of one call is not seen by the later ones."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    insert_params(engine, [(run_id, "state", "old")])
    _rename(engine, "old")
    other = create_engine(engine.url)

    @event.listens_for(engine, "before_cursor_execute")
    def _write(*arguments: Any) -> None:
        if "params" in arguments[2]:
            with other.begin() as connection:
                connection.execute(update(RUNS).values(name="new"))
                connection.execute(update(PARAMS).values(value="new"))

    columns = Columns(("run_id", "name", "params"))
    operation = tracking.snapshot(single_read=True)
    pages = await operation.runs([("1",), ("2",)], Search(), Page(first, None, columns))
    found = await operation.runs_by_id([run_id], columns)
    for table in (pages.rows, found.rows):
        assert table["name"][0] == table["params"].rows["value"][0]
    operation.release()
    other.dispose()


async def test_short_and_long_reads_are_of_one_state(tracking: SqlTracking, engine: Engine) -> None:
    """A long history, which a worker thread reads, is of the state that the run was read in."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    insert_points(engine, run_id, "loss", [(step, 0, 1.0) for step in range(SHORT_POINTS)])
    operation = tracking.snapshot(single_read=False)
    await operation.runs_by_id([run_id], _NAME)
    insert_points(engine, run_id, "loss", [(SHORT_POINTS, 1, 2.0)])
    insert_points(engine, run_id, "other", [(step, 0, 1.0) for step in range(SHORT_POINTS + 1)])
    series = [(run_id, "loss"), (run_id, "other")]
    assert (await operation.histories(series, None, None)).rows.size == SHORT_POINTS
    operation.release()
    assert (await tracking.histories(series, None, None)).rows.size == 2 * SHORT_POINTS + 2


async def test_bad_input_leaves_the_snapshot(tracking: SqlTracking, engine: Engine) -> None:
    """An error of one read is not the end of the state that the others see."""
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    _rename(engine, "before")
    operation = tracking.snapshot(single_read=False)
    await _names(operation, run_id)
    _rename(engine, "after")
    with pytest.raises(BadUserInput):
        await operation.runs([None], Search(), Page(1, ["not", "a", "position"], _NAME))
    assert await _names(operation, run_id) == ("before", "before")
    operation.release()


async def test_more_operations_than_connections(engine: Engine, loop_reader: LoopReader | None) -> None:
    """Operations wait for a connection; none waits for another that waits for it."""
    run_ids = insert_runs(engine, insert_experiment(engine, 1), run_rows(3))
    tracking = SqlTracking(engine, _LIMITS, loop_reader=loop_reader)

    async def read(number: int) -> int:
        operation = tracking.snapshot(single_read=False)
        run_id = run_ids[number % 3]
        reads: list[Any] = [
            operation.runs_by_id([run_id], _NAME),
            operation.histories([(run_id, "loss")], None, None),
        ]
        if number % 2:
            reads.reverse()
        for result in reads:
            await result
        operation.release()
        return number

    assert await asyncio.gather(*map(read, range(40))) == list(range(40))
    await tracking.close()


async def test_cancelled_read_gives_its_connection_back(tracking: SqlTracking, engine: Engine) -> None:
    """As many reads as there are connections are cancelled, and the next ones are answered."""
    started = threading.Semaphore(0)

    def work(session: Session) -> object:
        started.release()
        return session.rows(text(_SLOW[engine.dialect.name]))

    for _ in range(2):
        operations = [tracking.snapshot(single_read=False) for _ in range(_LIMITS.database_threads)]
        reads = [
            asyncio.ensure_future(operation._reader.read(work, short=True))  # noqa: SLF001 - a slow statement
            for operation in operations
        ]
        for _ in reads:
            await asyncio.to_thread(started.acquire)
        for read, operation in zip(reads, operations, strict=True):
            read.cancel()
            operation.release()
        await asyncio.gather(*reads, return_exceptions=True)
    await tracking.ready()


_SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT SLEEP(60)",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_idle_operation_does_not_delay_writers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that waits for something else gives up its state, for which a writer would wait."""
    monkeypatch.setattr("gql_server.stores.sql.snapshot._MAX_IDLE_SECONDS", 0.0)
    (run_id,) = insert_runs(engine, insert_experiment(engine, 1), run_rows(1))
    tracking = SqlTracking(engine, LIMITS.store)
    operation = tracking.snapshot(single_read=False)
    await operation.runs_by_id([run_id], _NAME)
    # It waits until the reader has ended its transaction.
    await asyncio.to_thread(_rename, engine, "after")
    assert (await operation.runs_by_id([run_id], _NAME)).rows["name"][0] == "after"
    operation.release()
    await tracking.close()
