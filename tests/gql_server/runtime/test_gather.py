"""Concurrent awaitables."""

import asyncio

import pytest

from gql_server.runtime.gather import gather_or_cancel


async def test_results_are_in_the_order_of_the_awaitables() -> None:
    """The results have the order of the awaitables, whichever completes first."""
    assert await gather_or_cancel(asyncio.sleep(delay, delay) for delay in (0.02, 0.01, 0.0)) == [
        0.02,
        0.01,
        0.0,
    ]
    assert await gather_or_cancel([]) == []


async def test_failure_cancels_the_others() -> None:
    """If one awaitable fails, its error is raised and the others are cancelled."""
    pending = asyncio.ensure_future(asyncio.sleep(60))

    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await gather_or_cancel([pending, fail()])
    await asyncio.wait([pending])
    assert pending.cancelled()


async def test_cancellation_cancels_all() -> None:
    """If the caller is cancelled, all awaitables are cancelled."""
    pending = asyncio.ensure_future(asyncio.sleep(60))
    caller = asyncio.ensure_future(gather_or_cancel([pending]))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert pending.cancelled()
