"""Tests of what one operation may take of the process."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from gql_server.runtime.operation_budget import OperationBudget, current_budget, current_meter
from gql_server.runtime.threads import Threads
from schema.ports.errors import LimitExceeded
from schema.ports.table import Table


def _work(seconds: float) -> None:
    """Use the processor for so long, whatever else runs on the machine."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Yield two threads."""
    threads = Threads(2, "test")
    yield threads
    threads.close()


async def test_steps_of_a_task_are_counted() -> None:
    """What a task computes counts, and what others compute while it waits does not."""
    total = OperationBudget(10, 1000)

    async def computes() -> str:
        _work(0.02)
        await asyncio.sleep(0)
        _work(0.02)
        return "result"

    async def other() -> None:
        _work(0.5)

    result, _ = await asyncio.gather(total.metered(computes()), other())
    assert result == "result"
    assert 0.04 <= total.seconds < 0.4


async def test_awaitable_is_cancelled_and_raises_as_without_a_meter() -> None:
    """A cancellation reaches the awaitable, and its exceptions reach the caller."""
    total, seen = OperationBudget(10, 1000), []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def fails() -> None:
        await asyncio.sleep(0)
        message = "expected"
        raise ValueError(message)

    task = asyncio.ensure_future(total.metered(waits()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]
    with pytest.raises(ValueError, match="expected"):
        await total.metered(fails())


async def test_task_that_is_cancelled_before_its_first_step_warns_of_nothing() -> None:
    """The coroutine is closed with the task."""
    coroutine = asyncio.sleep(60)
    task = asyncio.ensure_future(OperationBudget(10, 1000).metered(coroutine))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(RuntimeError, match="already awaited"):
        coroutine.send(None)


async def test_calls_in_threads_are_counted(threads: Threads) -> None:
    """A call in a thread counts for the operation of its caller, and for no other."""
    mine, other = OperationBudget(10, 1000), OperationBudget(10, 1000)
    current_budget.set(mine)
    await threads.run(_work, 0.05)
    current_budget.set(other)
    assert mine.seconds >= 0.05
    assert other.seconds == 0


async def test_operation_without_time_has_an_error(threads: Threads) -> None:
    """An operation that has taken too much processor time says why."""
    total = OperationBudget(0.01, 1000)
    current_budget.set(total)
    assert total.error is None
    await threads.run(_work, 0.02)
    assert "GQL_MAX_PROCESSOR_SECONDS" in str(total.error)


async def test_bytes_of_all_calls_count_together(threads: Threads) -> None:
    """What the calls of an operation read counts together, and one byte too many ends the call."""

    def read(size: int) -> None:
        meter = current_meter.get()
        assert meter is not None
        meter.add_bytes(size)

    current_budget.set(OperationBudget(10, 1000))
    await threads.run(read, 500)
    await threads.run(read, 500)
    with pytest.raises(LimitExceeded, match="GQL_MAX_READ_BYTES"):
        await threads.run(read, 1)


async def test_bytes_are_given_back_with_the_result(threads: Threads) -> None:
    """What is dropped while an operation goes on, as a page of a walk, does not count any more."""

    def read() -> Table:
        meter = current_meter.get()
        assert meter is not None
        meter.add_bytes(600)
        table = Table(0, {})
        meter.release_with(table)
        return table

    current_budget.set(OperationBudget(10, 1000))
    await threads.run(read)
    kept = await threads.run(read)
    with pytest.raises(LimitExceeded):
        await threads.run(read)
    assert kept.size == 0


async def test_call_may_look_at_the_limit(threads: Threads) -> None:
    """A long call ends itself where it looks at its meter."""

    def loop() -> None:
        meter = current_meter.get()
        assert meter is not None
        while True:
            meter.check()

    current_budget.set(OperationBudget(0.02, 1000))
    with pytest.raises(LimitExceeded):
        await threads.run(loop)
