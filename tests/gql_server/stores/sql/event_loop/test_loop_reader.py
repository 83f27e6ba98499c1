"""Reads on the event loop, and what is read by a worker thread in their place."""

import asyncio
import logging

import pytest
from sqlalchemy import Engine, text

from gql_server.stores.database_url import connection_url
from gql_server.stores.sql.event_loop.asyncpg_options import asyncpg_options
from gql_server.stores.sql.event_loop.factory import loop_reader_for
from gql_server.stores.sql.event_loop.loop_reader import LoopReader
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.errors import StoreTimeout
from tests.support.limits import LIMITS, store_limits
from tests.support.stores.store import Store

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)

_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()"""


async def test_short_reads_need_no_thread(engine: Engine, database: Store) -> None:
    """Once the database is open, a lookup is answered though all threads are busy."""
    limits = store_limits(database_threads=1)
    tracking = SqlTracking(engine, limits, loop_reader=loop_reader_for(database.uri, limits))
    await tracking.ready()
    slow = asyncio.ensure_future(
        tracking._pool.read(lambda session: session.rows(text("SELECT pg_sleep(60)")))  # noqa: SLF001 - a slow one
    )
    assert (await tracking.experiments_by_id(["0"], {"name"})).rows["name"][0] == "Default"
    assert not slow.done()
    slow.cancel()
    await tracking.close()


async def test_lost_connections_are_replaced(engine: Engine, database: Store) -> None:
    """A read whose idle connection was ended is answered all the same."""
    tracking = SqlTracking(engine, LIMITS.store, loop_reader=loop_reader_for(database.uri, LIMITS.store))
    for _ in range(3):
        await tracking.ready()
        with engine.connect() as connection:
            connection.execute(text(_OTHERS))
    await tracking.ready()
    operation = tracking.snapshot(single_read=False)
    await operation.experiments_by_id(["0"], {"name"})
    operation.release()
    await tracking.close()


async def test_slow_read_times_out_and_is_cancelled(engine: Engine, database: Store) -> None:
    """The caller gets the error at the timeout, and the connection's place is free again."""
    limits = store_limits(database_threads=1, store_timeout=0.5)
    tracking = SqlTracking(engine, limits, loop_reader=loop_reader_for(database.uri, limits))
    await tracking.ready()
    with pytest.raises(StoreTimeout):
        await tracking._pool.read(  # noqa: SLF001 - a slow statement
            lambda session: session.rows(text("SELECT pg_sleep(60)")), short=True
        )
    patient = SqlTracking(engine, LIMITS.store, loop_reader=tracking._pool.loop_reader)  # noqa: SLF001
    await patient.ready()
    await patient.close()
    await tracking.close()


async def test_server_that_refuses_asyncpg_is_read_in_threads(
    engine: Engine, database: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A pooler or server that takes no settings with the connection is read by the other driver."""
    options = asyncpg_options(connection_url(database.uri), 30)
    assert options is not None
    options["server_settings"]["there_is_no_such_setting"] = "on"
    reader = LoopReader(options, 2)
    tracking = SqlTracking(engine, LIMITS.store, loop_reader=reader)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            await tracking.ready()
    assert not reader.usable
    (warning,) = [record.message for record in caplog.records if "asyncpg" in record.message]
    assert "UndefinedObjectError" in warning
    await tracking.close()


async def test_connections_cannot_write(engine: Engine, database: Store) -> None:
    """A statement that would write is refused by the database."""
    tracking = SqlTracking(engine, LIMITS.store, loop_reader=loop_reader_for(database.uri, LIMITS.store))
    with pytest.raises(Exception, match="read-only transaction"):
        await tracking._pool.read(  # noqa: SLF001 - no port writes
            lambda session: session.rows(text("UPDATE runs SET name = 'x'")), short=True
        )
    await tracking.close()
