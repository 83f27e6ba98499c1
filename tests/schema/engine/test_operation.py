"""An operation computes each result once, and stops all tasks when it is closed."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from schema.engine.operation import Operation
from schema.ports.errors import NotFound
from schema.ports.table import Table
from tests.support.schema.execution import (
    LIMITS,
    SERVER_INFO,
    QueryResult,
    execute_planned,
    execute_query,
)
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.schema.record_strategies import experiments

Execute: TypeAlias = Callable[[MemoryTracking, str], Awaitable[QueryResult]]
QUERY = """{ experiments { totalCount nodes { tags { key } runs { totalCount nodes {
  params { key } metrics { history { step } series { steps } } experiment { name } } } } } }"""


@pytest.fixture
def operation() -> Operation:
    """Return an operation over an empty store."""
    return Operation(MemoryTracking([]), SERVER_INFO, LIMITS)


@pytest.fixture
async def loop_errors() -> AsyncIterator[list[Any]]:
    """Collect the errors that the event loop reports, such as exceptions that were never retrieved."""
    result: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: result.append(context))
    yield result
    gc.collect()
    assert result == []


def _table() -> Table:
    return Table(0, {})


def test_result_is_computed_once_per_table_and_key(operation: Operation) -> None:
    """A result is computed once for a table and key, and again for another table or key."""
    calls: list[int] = []
    first, second = _table(), _table()
    for table, key in ((first, "a"), (first, "a"), (second, "a"), (first, "b"), (second, "a")):
        operation.compute_once(table, key, lambda: calls.append(1))
    assert len(calls) == 3


def test_result_of_none_is_stored(operation: Operation) -> None:
    """None is stored like any other result."""
    assert operation.compute_once(table := _table(), "a", lambda: None) is None
    assert operation.compute_once(table, "a", lambda: 1) is None


def test_immediate_exception_is_stored(operation: Operation) -> None:
    """An immediate exception is stored and raised for each request."""
    calls: list[int] = []

    def fail() -> None:
        calls.append(1)
        message = "no"
        raise NotFound(message)

    table = _table()
    for _ in range(3):
        with pytest.raises(NotFound, match="no"):
            operation.compute_once(table, "a", fail)
    assert len(calls) == 1


async def test_concurrent_requests_share_a_task(operation: Operation) -> None:
    """Requests during a computation wait for the same task."""
    calls: list[int] = []

    async def compute() -> str:
        calls.append(1)
        await asyncio.sleep(0)
        return "result"

    table = _table()
    requests = (operation.compute_once(table, "a", compute) for _ in range(3))
    assert await asyncio.gather(*requests) == ["result"] * 3
    assert len(calls) == 1


@pytest.mark.usefixtures("loop_errors")
async def test_unretrieved_exception_is_not_logged(operation: Operation) -> None:
    """An exception that no task awaits is not reported after the operation is closed."""

    async def fail() -> None:
        message = "no"
        raise NotFound(message)

    operation.compute_once(_table(), "a", fail)
    await asyncio.sleep(0)
    operation.close()


async def test_concurrent_requests_share_an_awaited_result(operation: Operation) -> None:
    """Requests during a computation without a task wait for the first caller's result."""
    table = _table()
    first = operation.run_once(table, "a", asyncio.sleep, 0, "result")
    others = [operation.run_once(table, "a", asyncio.sleep), operation.compute_once(table, "a", list)]
    assert await asyncio.gather(first, *others) == ["result"] * 3
    assert operation.stored_result(table, "a") == "result"


@pytest.mark.usefixtures("loop_errors")
@pytest.mark.parametrize("waits", [False, True])
async def test_exception_of_an_awaited_result_is_stored(operation: Operation, *, waits: bool) -> None:
    """An exception is raised for the first caller and for later ones, and need not be retrieved."""

    async def fail() -> None:
        if waits:
            await asyncio.sleep(0)
        message = "no"
        raise NotFound(message)

    table = _table()
    first = operation.run_once(table, "a", fail)
    for request in (first, operation.compute_once(table, "a", fail)):
        with pytest.raises(NotFound, match="no"):
            await request
    assert isinstance(operation.stored_result(table, "a"), NotFound)


async def test_close_cancels_tasks(operation: Operation) -> None:
    """Closing cancels unfinished tasks, and later requests raise CancelledError."""
    waiting = operation.compute_once(table := _table(), "a", lambda: asyncio.sleep(60))
    operation.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        operation.compute_once(table, "b", lambda: asyncio.sleep(60))


@pytest.mark.usefixtures("loop_errors")
@pytest.mark.parametrize("execute", [execute_query, execute_planned])
@pytest.mark.parametrize("method", ["experiments", "runs", "params", "histories", "experiments_by_id"])
async def test_failing_store_leaves_no_tasks(method: str, execute: Execute) -> None:
    """After an error no task of the operation remains, and no exception is unretrieved."""
    store = MemoryTracking(
        experiments(2, 2),
        failing={method: NotFound("gone")},
        pauses={"metrics": 30, "count_runs": 20, "histories": 10},
    )
    level = await execute(store, QUERY)
    assert set(level.messages) == {"gone"}
    await _turn(3)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    calls = store.calls.copy()
    await _turn(50)
    assert store.calls == calls


@pytest.mark.usefixtures("loop_errors")
# graphql-core nests coroutines. If the outer one is cancelled before its first step, the inner never runs.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("execute", [execute_query, execute_planned])
@pytest.mark.parametrize("fails", [False, True])
async def test_cancelled_operation_leaves_no_tasks(execute: Execute, *, fails: bool) -> None:
    """An operation that is cancelled at any point ends at once and leaves no task and no error."""
    for turns in range(1, 40):
        store = MemoryTracking(
            experiments(2, 2), pauses={"runs": 3, "params": 2, "metrics": 4, "count_runs": 9}
        )
        if fails:
            store.failing = {"params": NotFound("gone")}
        running = asyncio.ensure_future(execute(store, QUERY))
        await _turn(turns)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await _turn(3)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def _turn(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)
