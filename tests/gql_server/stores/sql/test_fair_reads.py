"""The connections to a database are shared out by client."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Engine

from gql_server.runtime.fair_semaphore import current_client
from gql_server.stores.sql.session import Session
from gql_server.stores.sql.short_reads import predicates_of, weight_of
from gql_server.stores.sql.tracking import SqlTracking
from schema.ports.condition import AnyOf, Predicate
from schema.ports.tracking import Search
from tests.support.limits import store_limits
from tests.support.stores.store import Store


@pytest.fixture
async def tracking(engine: Engine) -> AsyncIterator[SqlTracking]:
    """Give the port over each kind of database, with four threads."""
    tracking = SqlTracking(engine, store_limits(database_threads=4))
    await tracking.ready()
    yield tracking
    await tracking.close()


@pytest.mark.parametrize("snapshot", [True, False])
async def test_one_client_leaves_connections_to_others(tracking: SqlTracking, snapshot: bool) -> None:  # noqa: FBT001
    """While the statements of one client run, and more of them wait, another client's run at once."""
    blocker = threading.Event()

    async def read(client: str) -> bool:
        current_client.set(client)
        reads = tracking.snapshot(single_read=not snapshot)
        try:
            return await reads._reader.read(lambda _: client == "other" or blocker.wait(60))  # noqa: SLF001
        finally:
            reads.release()

    greedy = [asyncio.create_task(read("greedy")) for _ in range(12)]
    try:
        assert await read("other")
        assert not any(task.done() for task in greedy)
    finally:
        blocker.set()
    assert all(await asyncio.gather(*greedy))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_short_reads_do_not_wait_for_long_ones(tracking: SqlTracking) -> None:
    """Short reads from SQLite have connections of their own, also for the same client."""
    blocker = threading.Event()
    pool = tracking._pool  # noqa: SLF001

    def block(_: Session) -> bool:
        return blocker.wait(60)

    long = [asyncio.create_task(pool.read(block)) for _ in range(12)]
    await asyncio.sleep(0)
    try:
        assert await pool.read(lambda _: True, short=True)
        assert not any(task.done() for task in long)
    finally:
        blocker.set()
    assert all(await asyncio.gather(*long))


def _weight(search: Search, runs: int = 100_000) -> int:
    return weight_of(predicates_of(search), runs)


def test_searches_are_weighed_by_their_conditions_and_runs() -> None:
    """Those that clients usually send count once, and so do all of a small store."""
    one = Predicate("attribute", "name", "eq", "a")
    assert _weight(Search()) == _weight(Search(filter="params.a = '1' and metrics.b > 2", where=one)) == 1
    many = AnyOf(tuple([one] * 490))
    assert _weight(Search(where=many)) > 8
    assert _weight(Search(filter=" and ".join(["params.param_01 != 'x'"] * 490))) > 8
    assert _weight(Search(where=many), runs=1000) == 1


async def test_database_knows_its_number_of_runs(tracking: SqlTracking, database: Store) -> None:
    """The number of runs is read when the database is opened, and when its revision is checked."""
    opened = tracking._pool._database  # noqa: SLF001
    assert opened.runs == 0
    database.client.create_run("0")
    opened.reopen(opened.get())
    assert opened.runs == 1
