"""Tests of thread pools."""

import asyncio
import threading

from gql_server.runtime.fair_semaphore import current_client
from gql_server.runtime.threads import Threads


async def test_shared_threads_leave_one_to_other_clients() -> None:
    """While the calls of one client run, and more of them wait, a call of another runs at once."""
    threads, blocker = Threads(4, "test", shared=True), threading.Event()

    async def call(client: str) -> str:
        current_client.set(client)
        await threads.run_cancellable(
            blocker.wait if client == "greedy" else str, *([60] if client == "greedy" else [])
        )
        return client

    greedy = [asyncio.create_task(call("greedy")) for _ in range(12)]
    try:
        assert await asyncio.create_task(call("other")) == "other"
        assert not any(task.done() for task in greedy)
        assert threads.usage.waiting == 9
    finally:
        blocker.set()
    await asyncio.gather(*greedy)
    assert threads.usage == (0, 0)
    threads.close()
