"""Tests of timeouts and of the limit on operations in flight."""

import asyncio
from typing import Any

from sqlalchemy import Engine, event

from tests.support.app.app_client import app_client
from tests.support.app.graphql_client import graphql_client
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.stores.store import Store

NAME = {"query": "{ experiment(experimentId: 1) { name } }"}


class BlockedCalls:
    """Blocks calls to the store until `unblock` is set, and counts them."""

    def __init__(self, tracking: MemoryTracking, expected: int = 1) -> None:
        self.in_flight = 0
        self.all_started = asyncio.Event()
        self.unblock = asyncio.Event()
        read = tracking.experiments_by_id

        async def block(*arguments: Any) -> Any:
            self.in_flight += 1
            if self.in_flight == expected:
                self.all_started.set()
            try:
                await self.unblock.wait()
            finally:
                self.in_flight -= 1
            return await read(*arguments)

        tracking.experiments_by_id = block  # type: ignore[method-assign, assignment]


async def test_operation_times_out(tracking: MemoryTracking) -> None:
    """An operation that exceeds its timeout is an error with a code, and its calls are cancelled."""
    calls = BlockedCalls(tracking)
    async with app_client(tracking, operation_timeout=0.05) as client:
        response = (await client.post("/graphql", json=NAME)).json()
    (error,) = response["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_OPERATION_TIMEOUT" in error["message"]
    assert calls.in_flight == 0


async def test_timeout_stops_the_statement_and_frees_its_thread(sqlite_store: Store) -> None:
    """An endless statement is stopped with its operation, and the only thread runs the next one."""
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    armed, slowed = [True], list[str]()
    async with graphql_client(sqlite_store.uri, operation_timeout=8, database_threads=1) as client:
        await client.data("{ experiments { totalCount } }")

        def never_end(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
            if armed and statement.lstrip().upper().startswith("SELECT"):
                slowed.append(statement)
                return slow, ()
            return statement, parameters

        event.listen(Engine, "before_cursor_execute", never_end, retval=True)
        try:
            error = await client.error("{ experiment(experimentId: 0) { name } }")
            assert "GQL_OPERATION_TIMEOUT" in error["message"]
            # The first ends on the event loop after its time there, the second in the thread.
            assert len(slowed) == 2
            armed.clear()
            data = await client.data('{ experiment(name: "Default") { experimentId } }')
        finally:
            event.remove(Engine, "before_cursor_execute", never_end)
    assert data == {"experiment": {"experimentId": "0"}}


async def test_operations_above_the_limit_get_503(tracking: MemoryTracking) -> None:
    """Operations above the limit get 503 with Retry-After at once; later they are executed."""
    calls = BlockedCalls(tracking, 2)
    async with app_client(tracking, max_operations=2, cache_running_seconds=0) as client:
        bodies = [{"query": f"{{ experiment(experimentId: {number}) {{ name }} }}"} for number in range(3)]
        in_flight = [asyncio.create_task(client.post("/graphql", json=body)) for body in bodies[:2]]
        await asyncio.wait_for(calls.all_started.wait(), 30)
        refused = await client.post("/graphql", json=bodies[2])
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
        # An equal request shares the operation in flight.
        shared = asyncio.create_task(client.post("/graphql", json=bodies[0]))
        await asyncio.sleep(0)
        calls.unblock.set()
        responses = await asyncio.gather(*in_flight, shared)
        assert [response.status_code for response in responses] == [200] * 3
        assert (await client.post("/graphql", json=bodies[2])).status_code == 200
