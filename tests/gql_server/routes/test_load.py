"""Tests of timeouts and of the limit on operations in flight."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import Engine, event

from gql_server.app import create_app
from gql_server.config.settings import Settings
from tests.support.graphql_client import graphql_client
from tests.support.memory_tracking import MemoryTracking
from tests.support.stores import Store

NAME = {"query": "{ experiment(experimentId: 1) { name } }"}


@asynccontextmanager
async def client_of(tracking: MemoryTracking, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application over a store."""
    app = create_app(Settings(tracking_uri="unused:", **settings), tracking)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


class Hanging:
    """A call to the store that ends when it is told to; it counts who is in it."""

    def __init__(self, tracking: MemoryTracking, expected: int = 1) -> None:
        self.inside = 0
        self.full = asyncio.Event()
        self.go_on = asyncio.Event()
        read = tracking.experiments_by_id

        async def hang(*arguments: Any) -> Any:
            self.inside += 1
            if self.inside == expected:
                self.full.set()
            try:
                await self.go_on.wait()
            finally:
                self.inside -= 1
            return await read(*arguments)

        tracking.experiments_by_id = hang  # type: ignore[method-assign, assignment]


async def test_operation_times_out(tracking: MemoryTracking) -> None:
    """An operation that exceeds its timeout is an error with a code, and its calls are cancelled."""
    hanging = Hanging(tracking)
    async with client_of(tracking, operation_timeout=0.05) as client:
        answer = (await client.post("/graphql", json=NAME)).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_OPERATION_TIMEOUT" in error["message"]
    assert hanging.inside == 0


async def test_timeout_stops_the_statement_and_frees_its_thread(sqlite_store: Store) -> None:
    """An endless statement is stopped with its operation, and the only thread runs the next one."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    armed = [True]
    async with graphql_client(sqlite_store.uri, operation_timeout=8, database_threads=1) as ask:
        await ask.data("{ experiments { totalCount } }")

        def never_end(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
            if armed and statement.lstrip().upper().startswith("SELECT"):
                armed.clear()
                return slow, ()
            return statement, parameters

        event.listen(Engine, "before_cursor_execute", never_end, retval=True)
        try:
            error = await ask.error("{ experiment(experimentId: 0) { name } }")
            assert "GQL_OPERATION_TIMEOUT" in error["message"]
            assert not armed
            data = await ask.data('{ experiment(name: "Default") { experimentId } }')
        finally:
            event.remove(Engine, "before_cursor_execute", never_end)
    assert data == {"experiment": {"experimentId": "0"}}


async def test_operations_above_the_limit_get_503(tracking: MemoryTracking) -> None:
    """Operations above the limit get 503 with Retry-After at once; later they are executed."""
    hanging = Hanging(tracking, 2)
    async with client_of(tracking, max_operations=2, cache_running_seconds=0) as client:
        bodies = [{"query": f"{{ experiment(experimentId: {number}) {{ name }} }}"} for number in range(3)]
        under_way = [asyncio.create_task(client.post("/graphql", json=body)) for body in bodies[:2]]
        await asyncio.wait_for(hanging.full.wait(), 30)
        refused = await client.post("/graphql", json=bodies[2])
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
        # The same question needs no room of its own.
        shared = asyncio.create_task(client.post("/graphql", json=bodies[0]))
        await asyncio.sleep(0)
        hanging.go_on.set()
        answers = await asyncio.gather(*under_way, shared)
        assert [answer.status_code for answer in answers] == [200] * 3
        assert (await client.post("/graphql", json=bodies[2])).status_code == 200
