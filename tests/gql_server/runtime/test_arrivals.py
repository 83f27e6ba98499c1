"""Requests begin in their order, and not all of them in one iteration of the event loop."""

import asyncio
from collections.abc import Callable

import pytest

from gql_server.runtime import arrivals as module
from gql_server.runtime.arrivals import Arrivals
from gql_server.runtime.limiter import LimiterFull
from tests.support.clock import Clock


@pytest.fixture
async def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that takes a number of seconds of the loop's time."""
    clock = Clock()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock, raising=False)

    def take(seconds: float) -> None:
        clock.now += seconds

    return take


class Requests:
    """Requests that each take some time, and what happened in which iteration of the loop."""

    def __init__(self, work: Callable[[float], None], seconds: float) -> None:
        self.arrivals = Arrivals()
        self.begun: list[int] = []
        self.iterations: list[int] = []
        self.has_waited: list[bool] = []
        self._work = work
        self._seconds = seconds
        self._iteration = 0

    async def run(self, number: int) -> None:
        """Process a request."""
        self.has_waited.append(await self.arrivals.wait())
        self.begun.append(number)
        self.iterations.append(self._iteration)
        self._work(self._seconds)

    async def run_all(self, count: int) -> None:
        """Process requests that arrive in one iteration."""
        counting = asyncio.create_task(self._count())
        await asyncio.gather(*map(self.run, range(count)))
        counting.cancel()

    async def _count(self) -> None:
        while True:
            self._iteration += 1
            await asyncio.sleep(0)


async def test_idle_loop_lets_requests_begin_at_once(work: Callable[[float], None]) -> None:
    """One request after the other waits for nothing, however long each takes."""
    requests = Requests(work, 1.0)
    for number in range(3):
        await requests.run(number)
        for _ in range(10):
            await asyncio.sleep(0)
    assert requests.has_waited == [False] * 3


async def test_short_requests_share_an_iteration(work: Callable[[float], None]) -> None:
    """Requests begin together while their work is short."""
    requests = Requests(work, 0.0001)
    await requests.run_all(30)
    assert requests.has_waited == [False] * 30


async def test_long_requests_begin_one_by_one_in_their_order(work: Callable[[float], None]) -> None:
    """After a long request the loop reads what has happened, before the next begins."""
    requests = Requests(work, 0.03)
    await requests.run_all(50)
    assert requests.begun == list(range(50))
    assert len(set(requests.iterations)) == 50
    assert requests.has_waited == [False] + [True] * 49


async def test_request_at_a_busy_loop_waits_for_its_disconnect_to_be_read(
    work: Callable[[float], None],
) -> None:
    """A request that arrives after a long one begins some iterations later."""
    requests = Requests(work, 0.03)
    await requests.run(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    iterations = 0
    waiting = asyncio.create_task(requests.run(1))
    while not waiting.done():
        iterations += 1
        await asyncio.sleep(0)
    assert requests.has_waited == [False, True]
    assert iterations >= 3


async def test_cancelled_request_is_left_out(work: Callable[[float], None]) -> None:
    """Requests behind one that was cancelled begin."""
    requests = Requests(work, 0.03)
    tasks = [asyncio.create_task(requests.run(number)) for number in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.wait(tasks)
    assert requests.begun == [0, 1, 3, 4]


async def test_waiting_requests_are_limited(
    work: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request above the limit fails at once, and the others begin."""
    monkeypatch.setattr(module, "_MAX_WAITING", 3)
    requests = Requests(work, 0.03)
    tasks = [asyncio.create_task(requests.run(number)) for number in range(6)]
    await asyncio.wait(tasks)
    assert requests.begun == [0, 1, 2, 3]
    assert all(isinstance(task.exception(), LimiterFull) for task in tasks[4:])
