"""Statements that are cancelled or time out, and connections that break."""

import asyncio
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Engine, TextClause, event, text
from sqlalchemy.exc import InternalError, OperationalError

from gql_server.stores.sql.database.database import database_of
from gql_server.stores.sql.dialects.selection import dialect_of
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import StoreTimeout, StoreUnavailable
from tests.support.limits import LIMITS

_SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT SLEEP(60)",
}
_RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sl%' "
    "AND state = 'active' AND datname = current_database()",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLE%' "
    "AND db = database()",
}


def _slow(engine: Engine) -> TextClause:
    return text(_SLOW[engine.dialect.name])


async def _count_running(engine: Engine) -> int:
    """Return the number of slow statements that the database server runs; 0 for SQLite."""
    statement = _RUNNING.get(engine.dialect.name)
    if statement is None:
        return 0
    with engine.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


async def _statement_ends(engine: Engine) -> bool:
    for _ in range(100):
        if not await _count_running(engine):
            return True
        await asyncio.sleep(0.05)
    return False


async def _wait_until_running(engine: Engine, statements: list[str]) -> None:
    """Return when the database runs the slow statement."""
    name = engine.dialect.name
    for _ in range(400):
        if _SLOW[name] in statements and (name not in _RUNNING or await _count_running(engine)):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("the slow statement did not begin")
    await asyncio.sleep(0.1)


async def test_cancelled_call_stops_its_statement(engine: Engine, statements: list[str]) -> None:
    """The database stops the statement, and the only thread is free for the next."""
    pool = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=60)
    call = asyncio.create_task(pool.read(lambda session: session.rows(_slow(engine))))
    await _wait_until_running(engine, statements)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    start = time.perf_counter()
    assert await pool.read(lambda session: session.rows(text("SELECT 1"))) == [(1,)]
    assert time.perf_counter() - start < 20
    assert await _statement_ends(engine)
    await pool.close()


async def test_interrupt_before_the_start_is_repeated(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt before the statement starts has no effect, and is repeated."""
    starting, interrupted = threading.Event(), threading.Event()
    dialect = type(dialect_of(engine))
    interrupt = dialect.interrupt

    def signal_interrupt(*arguments: Any) -> None:
        interrupt(*arguments)
        interrupted.set()

    monkeypatch.setattr(dialect, "interrupt", signal_interrupt)

    @event.listens_for(engine, "before_cursor_execute")
    def _wait(*arguments: Any) -> None:
        if arguments[2] == _SLOW[engine.dialect.name]:
            starting.set()
            assert interrupted.wait(20)

    pool = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=60)
    call = asyncio.create_task(pool.read(lambda session: session.rows(_slow(engine))))
    assert await asyncio.to_thread(starting.wait, 20)
    call.cancel()
    async with asyncio.timeout(30):
        assert await pool.read(lambda session: session.rows(text("SELECT 1"))) == [(1,)]
    await pool.close()


async def test_call_cancelled_in_the_queue_runs_no_statement(engine: Engine, statements: list[str]) -> None:
    """A call that is cancelled while it waits for a thread never reaches the database."""
    pool = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=30)
    first = asyncio.create_task(pool.read(lambda session: session.rows(_slow(engine))))
    await _wait_until_running(engine, statements)
    second = asyncio.create_task(pool.read(lambda session: session.rows(text("SELECT 2"))))
    await asyncio.sleep(0.1)
    for task in (second, first):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await pool.read(lambda session: session.rows(text("SELECT 3"))) == [(3,)]
    assert "SELECT 2" not in statements
    await pool.close()


async def test_slow_statement_times_out(engine: Engine) -> None:
    """The caller gets the error at the timeout, and the next statement runs."""
    pool = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=0.5)
    start = time.perf_counter()
    with pytest.raises(StoreTimeout, match=r"within 0\.5 s"):
        await pool.read(lambda session: session.rows(_slow(engine)))
    assert time.perf_counter() - start < 15
    assert await _statement_ends(engine)
    patient = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=30)
    assert await patient.read(lambda session: session.rows(text("SELECT 1"))) == [(1,)]
    await pool.close()


@pytest.mark.parametrize("database", ["postgres", "mysql"], indirect=True)
async def test_dropped_connections_are_replaced(engine: Engine, statements: list[str]) -> None:
    """A running statement fails as unavailable, without SQL; idle connections are replaced silently."""
    tracking = SqlTracking(engine, LIMITS.store)
    await tracking.ready()
    _drop_connections(engine)
    await tracking.ready()
    pool = SessionPool(database_of(engine, LIMITS.store), threads=2, timeout=30)
    call = asyncio.create_task(pool.read(lambda session: session.rows(_slow(engine))))
    await _wait_until_running(engine, statements)
    _drop_connections(engine)
    with pytest.raises(StoreUnavailable) as caught:
        await call
    assert "SELECT" not in str(caught.value)
    await tracking.ready()
    await pool.close()
    await tracking.close()


def _drop_connections(engine: Engine) -> None:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            return
        others = (
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()"
        )
        for (id_,) in connection.execute(text(others)).all():
            # The connection may have been closed meanwhile.
            with suppress(OperationalError, InternalError):
                connection.execute(text(f"KILL {id_}"))


async def test_invalid_statement_is_not_a_store_error(engine: Engine) -> None:
    """An error in a statement itself is raised unchanged."""
    pool = SessionPool(database_of(engine, LIMITS.store), threads=1, timeout=5)
    with pytest.raises(Exception, match="nowhere") as caught:
        await pool.read(lambda session: session.rows(text("SELECT nothing FROM nowhere")))
    assert not isinstance(caught.value, StoreUnavailable)
    await pool.close()
