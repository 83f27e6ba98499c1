"""What an operation asks, it asks once; and when it ends, nothing of it goes on."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schema.engine.operation import Operation
from schema.ports.errors import NotFound
from schema.ports.table import Table
from tests.support.memory_tracking import MemoryTracking
from tests.support.record_strategies import experiments
from tests.support.schema_execution import LIMITS, SERVER_INFO, answer

QUERY = """{ experiments { totalCount nodes { tags { key } runs { totalCount nodes {
  params { key } metrics { history { step } series { steps } } experiment { name } } } } } }"""


@pytest.fixture
def operation() -> Operation:
    """Give an operation over an empty store."""
    return Operation(MemoryTracking([]), SERVER_INFO, LIMITS)


@pytest.fixture
async def complaints() -> AsyncIterator[list[Any]]:
    """Collect what the event loop complains of, such as exceptions that nobody retrieved."""
    found: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    yield found
    gc.collect()
    assert found == []


def _table() -> Table:
    return Table(0, {})


def test_once(operation: Operation) -> None:
    """A question about a table is asked once; about another table, or another question, again."""
    asked: list[int] = []
    first, second = _table(), _table()
    for table, question in ((first, "a"), (first, "a"), (second, "a"), (first, "b"), (second, "a")):
        operation.compute_once(table, question, lambda: asked.append(1))
    assert len(asked) == 3


def test_answer_of_none_is_an_answer(operation: Operation) -> None:
    """None is kept like any other answer."""
    assert operation.compute_once(table := _table(), "a", lambda: None) is None
    assert operation.compute_once(table, "a", lambda: 1) is None


def test_failure_at_once_is_kept(operation: Operation) -> None:
    """What raises at once is not asked again, and raises the same to each who asks."""
    asked: list[int] = []

    def fail() -> None:
        asked.append(1)
        message = "no"
        raise NotFound(message)

    table = _table()
    for _ in range(3):
        with pytest.raises(NotFound, match="no"):
            operation.compute_once(table, "a", fail)
    assert len(asked) == 1


async def test_coroutines_are_shared(operation: Operation) -> None:
    """All who ask while the answer is under way wait for the same one."""
    asked: list[int] = []

    async def ask() -> str:
        asked.append(1)
        await asyncio.sleep(0)
        return "answer"

    table = _table()
    assert (
        await asyncio.gather(*(operation.compute_once(table, "a", ask) for _ in range(3))) == ["answer"] * 3
    )
    assert len(asked) == 1


@pytest.mark.usefixtures("complaints")
async def test_failure_that_nobody_waits_for(operation: Operation) -> None:
    """A failure whose last waiter has gone is not complained of when the operation closes."""

    async def fail() -> None:
        message = "no"
        raise NotFound(message)

    operation.compute_once(_table(), "a", fail)
    await asyncio.sleep(0)
    operation.close()


async def test_close_stops_what_is_under_way(operation: Operation) -> None:
    """Closing cancels what has not been answered, and whoever asks later is cancelled too."""
    waiting = operation.compute_once(table := _table(), "a", lambda: asyncio.sleep(60))
    operation.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        operation.compute_once(table, "b", lambda: asyncio.sleep(60))


@pytest.mark.usefixtures("complaints")
@pytest.mark.parametrize("method", ["experiments", "runs", "params", "histories", "experiments_by_id"])
async def test_failing_store_leaves_nothing_behind(method: str) -> None:
    """After an error nothing of the operation runs on, and no exception goes unretrieved."""
    store = MemoryTracking(
        experiments(2, 2),
        failing={method: NotFound("gone")},
        pauses={"metrics": 30, "count_runs": 20, "histories": 10},
    )
    level = await answer(store, QUERY)
    assert set(level.messages) == {"gone"}
    await _turn(3)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    calls = store.calls.copy()
    await _turn(50)
    assert store.calls == calls


@pytest.mark.usefixtures("complaints")
# graphql-core wraps coroutines in coroutines; cancelled before its first step, the outer drops the inner.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("fails", [False, True])
async def test_client_leaves(*, fails: bool) -> None:
    """Wherever an operation is cancelled it ends at once, and leaves no task and no complaint behind."""
    for turns in range(1, 40):
        store = MemoryTracking(
            experiments(2, 2), pauses={"runs": 3, "params": 2, "metrics": 4, "count_runs": 9}
        )
        if fails:
            store.failing = {"params": NotFound("gone")}
        running = asyncio.create_task(answer(store, QUERY))
        await _turn(turns)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await _turn(3)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def _turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)
