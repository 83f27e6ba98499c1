"""Tests of rate limits."""

import pytest

from gql_server.auth.caller import ANONYMOUS, Caller
from gql_server.auth.rate_limit import RateLimiter, rate_limiter_from
from gql_server.config.settings import Settings
from gql_server.http.request_error import RequestError
from tests.support.app.app_client import app_client
from tests.support.schema.memory_tracking import MemoryTracking

NAME = {"query": "{ experiment(experimentId: 1) { name } }"}


async def test_caller_above_the_rate_gets_429(tracking: MemoryTracking) -> None:
    """A caller above the rate gets 429 with Retry-After and a code."""
    async with app_client(tracking, rate_limit="3/hour") as client:
        statuses = [(await client.post("/graphql", json=NAME)).status_code for _ in range(3)]
        assert statuses == [200] * 3
        refused = await client.post("/graphql", json=NAME)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def exhausted(limiter: RateLimiter, caller: Caller, address: str) -> bool:
    """Count a request, and report whether it exceeds the rate."""
    try:
        await limiter.count(caller, address)
    except RequestError as error:
        return error.status == 429
    return False


async def test_callers_are_counted_separately() -> None:
    """Named callers count by name from every address, others by address, and a /64 is one address."""
    limiter = RateLimiter("1/hour", timeout=0.25)
    assert not await exhausted(limiter, ANONYMOUS, "192.0.2.1")
    assert await exhausted(limiter, ANONYMOUS, "192.0.2.1")
    assert not await exhausted(limiter, ANONYMOUS, "192.0.2.2")
    assert not await exhausted(limiter, Caller("key:a"), "192.0.2.1")
    assert await exhausted(limiter, Caller("key:a"), "192.0.2.9")
    assert not await exhausted(limiter, Caller("key:b"), "192.0.2.1")
    assert not await exhausted(limiter, ANONYMOUS, "2001:db8::1")
    assert await exhausted(limiter, ANONYMOUS, "2001:db8::ffff")
    assert not await exhausted(limiter, ANONYMOUS, "2001:db8:0:1::1")
    assert not await exhausted(limiter, ANONYMOUS, "::ffff:192.0.2.3")
    assert not await exhausted(limiter, ANONYMOUS, "::ffff:192.0.2.4")
    assert await exhausted(limiter, ANONYMOUS, "192.0.2.4")


async def test_unverified_credentials_count_by_address() -> None:
    """A client cannot exhaust the rate of another caller, and invented credentials count by address."""
    limiter = RateLimiter("2/hour", timeout=0.25)

    def unverified(principal: str) -> Caller:
        return Caller("basic:ada", principal=principal, authorization="", verified=False)

    for number in range(2):
        assert not await exhausted(limiter, unverified(f"invented {number}"), "192.0.2.1")
    assert await exhausted(limiter, unverified("invented 3"), "192.0.2.1")
    ada = Caller("basic:ada", principal="hers", authorization="")
    for _ in range(2):
        assert not await exhausted(limiter, ada, "192.0.2.1")
    assert await exhausted(limiter, ada, "192.0.2.2")


async def test_replicas_count_together_in_redis(redis_url: str) -> None:
    """Servers that share a Redis count a caller's requests together."""
    one, other = (RateLimiter("2/hour", redis_url=redis_url, timeout=5) for _ in range(2))
    caller = Caller("key:shared")
    assert not await exhausted(one, caller, "")
    assert not await exhausted(other, caller, "")
    assert await exhausted(one, caller, "")
    assert await exhausted(other, caller, "")
    await one.close()
    await other.close()


async def test_each_process_counts_without_redis() -> None:
    """If Redis fails, callers are accepted and still counted."""
    limiter = RateLimiter("1/hour", redis_url="redis://127.0.0.1:1/0", timeout=0.25)
    assert not await exhausted(limiter, ANONYMOUS, "192.0.2.1")
    assert await exhausted(limiter, ANONYMOUS, "192.0.2.1")
    await limiter.close()


def test_invalid_rate_is_refused() -> None:
    """A rate that cannot be parsed is refused before the server starts."""
    with pytest.raises(ValueError, match="nonsense"):
        rate_limiter_from(Settings(tracking_uri="unused:", rate_limit="nonsense"))
    assert rate_limiter_from(Settings(tracking_uri="unused:")) is None
