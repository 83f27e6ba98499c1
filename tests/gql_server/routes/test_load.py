"""Time and load: what takes too long ends, and what is too much is refused at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from gql_server.app import create_app
from gql_server.auth.caller import ANYONE, Caller
from gql_server.auth.rate_limit import RateLimiter, rate_limiter_from
from gql_server.config.settings import Settings
from gql_server.http.request_error import RequestError
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


async def test_what_takes_too_long_ends(tracking: MemoryTracking) -> None:
    """An operation that passes its deadline is a coded error, and what it was waiting for is cancelled."""
    hanging = Hanging(tracking)
    async with client_of(tracking, operation_timeout=0.05) as client:
        answer = (await client.post("/graphql", json=NAME)).json()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_OPERATION_TIMEOUT" in error["message"]
    assert hanging.inside == 0


async def test_a_deadline_frees_the_thread_and_the_database(sqlite_store: Store) -> None:
    """A statement without an end is stopped with its operation, and the only thread answers the next."""
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


async def test_too_many_at_once_are_refused(tracking: MemoryTracking) -> None:
    """Operations beyond the bound get 503 with Retry-After at once; when one is done there is room again."""
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


async def test_each_caller_has_a_rate(tracking: MemoryTracking) -> None:
    """Who asks more often than the rate gets 429 with Retry-After and a coded error."""
    async with client_of(tracking, rate_limit="3/hour") as client:
        statuses = [(await client.post("/graphql", json=NAME)).status_code for _ in range(3)]
        assert statuses == [200] * 3
        refused = await client.post("/graphql", json=NAME)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def exhausted(rates: RateLimiter, caller: Caller, address: str) -> bool:
    """Count a request, and say whether it was one too many."""
    try:
        await rates.count(caller, address)
    except RequestError as refusal:
        return refusal.status == 429
    return False


async def test_callers_are_told_apart() -> None:
    """Known callers count by name wherever they ask from, others by address, and a /64 is one address."""
    rates = RateLimiter("1/hour")
    assert not await exhausted(rates, ANYONE, "192.0.2.1")
    assert await exhausted(rates, ANYONE, "192.0.2.1")
    assert not await exhausted(rates, ANYONE, "192.0.2.2")
    assert not await exhausted(rates, Caller("key:a"), "192.0.2.1")
    assert await exhausted(rates, Caller("key:a"), "192.0.2.9")
    assert not await exhausted(rates, Caller("key:b"), "192.0.2.1")
    assert not await exhausted(rates, ANYONE, "2001:db8::1")
    assert await exhausted(rates, ANYONE, "2001:db8::ffff")
    assert not await exhausted(rates, ANYONE, "2001:db8:0:1::1")
    assert not await exhausted(rates, ANYONE, "::ffff:192.0.2.3")
    assert not await exhausted(rates, ANYONE, "::ffff:192.0.2.4")
    assert await exhausted(rates, ANYONE, "192.0.2.4")


async def test_a_name_that_is_only_said_is_not_counted_by() -> None:
    """Nobody uses up another's rate by their name, and made-up credentials count by their address."""
    rates = RateLimiter("2/hour")

    def unproven(principal: str) -> Caller:
        return Caller("basic:ada", principal=principal, authorization="", proven=False)

    for number in range(2):
        assert not await exhausted(rates, unproven(f"made up {number}"), "192.0.2.1")
    assert await exhausted(rates, unproven("made up 3"), "192.0.2.1")
    ada = Caller("basic:ada", principal="hers", authorization="")
    for _ in range(2):
        assert not await exhausted(rates, ada, "192.0.2.1")
    assert await exhausted(rates, ada, "192.0.2.2")


async def test_replicas_count_together(redis_url: str) -> None:
    """With a Redis that they share, several servers count a caller's requests as one would."""
    one, other = (RateLimiter("2/hour", redis_url=redis_url, timeout=5) for _ in range(2))
    caller = Caller("key:shared")
    assert not await exhausted(one, caller, "")
    assert not await exhausted(other, caller, "")
    assert await exhausted(one, caller, "")
    assert await exhausted(other, caller, "")
    await one.close()
    await other.close()


async def test_without_redis_each_counts_for_itself() -> None:
    """When Redis is gone, callers are let in and still counted."""
    rates = RateLimiter("1/hour", redis_url="redis://127.0.0.1:1/0")
    assert not await exhausted(rates, ANYONE, "192.0.2.1")
    assert await exhausted(rates, ANYONE, "192.0.2.1")
    await rates.close()


def test_a_rate_is_checked_at_the_start() -> None:
    """What is no rate is refused before the server starts."""
    with pytest.raises(ValueError, match="nonsense"):
        rate_limiter_from(Settings(tracking_uri="unused:", rate_limit="nonsense"))
    assert rate_limiter_from(Settings(tracking_uri="unused:")) is None
