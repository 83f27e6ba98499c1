"""Long computations yield to the event loop."""

import asyncio
from types import SimpleNamespace

import pytest

from gql_server.runtime import cooperative
from gql_server.runtime.cooperative import CooperativeLoop
from tests.support.clock import Clock


async def test_long_computation_yields_to_event_loop(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tasks run at a checkpoint after a long step, and not after a short one."""
    monkeypatch.setattr(cooperative, "time", SimpleNamespace(perf_counter=clock))
    served: list[None] = []
    asyncio.get_running_loop().call_soon(served.append, None)
    loop = CooperativeLoop()
    await loop.checkpoint()
    assert not served
    clock.now += 0.01
    await loop.checkpoint()
    assert served
