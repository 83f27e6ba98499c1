"""Execution of writes in worker threads, with a timeout and cache invalidation after each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.runtime.deadline import deadline
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.writes.write import Write
from gql_server.stores.writes.write_errors import public_write_error, timed_out_in_doubt, timed_out_in_queue
from schema.ports.errors import PublicError

_T = TypeVar("_T")
StoreFunction: TypeAlias = Callable[[AbstractStore], None]
"""A change of a store that returns nothing."""
Invalidate: TypeAlias = Callable[[], Awaitable[None]]
"""Invalidates the cached records that a write affects."""

_log = logging.getLogger(__name__)


class WriteExecutor:
    """Runs writes; `timeout` is in seconds for each, including the wait for a thread.

    A write that exceeds the timeout continues, but the caller does not wait for it. The cache is then
    invalidated at the timeout and again when the write ends.
    """

    def __init__(self, calls: StoreCalls, timeout: float) -> None:
        self._calls = calls
        self._timeout = timeout
        self._tasks: set[asyncio.Task[Any]] = set()

    async def validate(self, check: Callable[..., _T], *args: Any) -> _T:
        """Return the result of a check of input; it runs in a thread, because the input may be large."""
        try:
            return await asyncio.to_thread(check, *args)
        except Exception as error:
            raise public_write_error(error, started=False) or error from error

    async def run_each(
        self,
        functions: Sequence[StoreFunction],
        check: StoreFunction,
        invalidate: Invalidate,
        done: str,
    ) -> None:
        """Change tags one after another; if one fails, the error states how many are `done`.

        Without any, `check` raises what the store would raise for the object of the change.
        """
        if not functions:
            await self.run(check, invalidate, idempotent=True)
        for count, function in enumerate(functions):
            try:
                await self.run(function, invalidate, idempotent=done == "set")
            except PublicError as error:
                message = f"{error} Certainly {done}: the first {count} of {len(functions)} tags."
                raise error.with_message(message) from error

    async def run(
        self,
        function: Callable[[AbstractStore], _T],
        invalidate: Invalidate,
        *,
        idempotent: bool = False,
    ) -> _T:
        """Return the function's result, after the cache was invalidated.

        The write continues if the caller is cancelled, because it cannot be rolled back.
        """
        write = Write(function, idempotent=idempotent)
        deadline.set(asyncio.get_running_loop().time() + self._timeout)
        task = asyncio.create_task(self._run(write, invalidate))
        self._tasks.add(task)
        task.add_done_callback(self._discard)
        done, _ = await asyncio.wait({task}, timeout=self._timeout)
        if not done:
            if write.cancel():
                raise timed_out_in_queue(self._timeout)
            task.add_done_callback(_log_outcome)
            await invalidate()
            raise timed_out_in_doubt(self._timeout)
        try:
            return task.result()
        except Exception as error:
            raise public_write_error(error, started=write.started) or error from error

    async def _run(self, write: Write[_T], invalidate: Invalidate) -> _T:
        try:
            return await self._calls.run(write)
        finally:
            # After a failure as well: the change may have been applied before it.
            await invalidate()

    def _discard(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Retrieved, because asyncio logs exceptions that are never retrieved.
            task.exception()


def _log_outcome(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    _log.warning("a change that exceeded the timeout %s", "failed" if error else "was applied")
