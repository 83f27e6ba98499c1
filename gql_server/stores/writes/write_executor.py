"""Changes of a store: each in a thread, with a time limit, and what was kept is forgotten after it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.runtime.retry import deadline
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.writes.write import Write
from gql_server.stores.writes.write_errors import in_doubt, not_begun, public_write_error
from schema.ports.errors import PublicError

_T = TypeVar("_T")
Forget: TypeAlias = Callable[[], Awaitable[None]]
"""Forgets what was kept of the things that a change touches."""

_log = logging.getLogger(__name__)


class WriteExecutor:
    """Makes changes; `timeout` is in seconds and for each, waiting for a thread included.

    One that takes longer is not waited for, but goes on; what was kept is forgotten then, and again when it
    ends.
    """

    def __init__(self, calls: StoreCalls, timeout: float) -> None:
        self._calls = calls
        self._timeout = timeout
        self._under_way: set[asyncio.Task[Any]] = set()

    async def checked(self, check: Callable[..., _T], *args: Any) -> _T:
        """Return what a check makes of its arguments; in a thread, since there may be thousands of them."""
        try:
            return await asyncio.to_thread(check, *args)
        except Exception as error:
            raise public_write_error(error, begun=False) or error from error

    async def each(
        self,
        changes: Sequence[Callable[[AbstractStore], None]],
        forget: Forget,
        done: str,
    ) -> None:
        """Make changes of tags one after another; where one fails, the fault says how many are `done`."""
        for count, change in enumerate(changes):
            try:
                await self.make(change, forget, idempotent=done == "set")
            except PublicError as fault:
                message = f"{fault} Certainly {done}: the first {count} of {len(changes)} tags."
                raise type(fault)(message) from fault

    async def make(
        self,
        work: Callable[[AbstractStore], _T],
        forget: Forget,
        *,
        idempotent: bool = False,
    ) -> _T:
        """Return what the change returns, once what was kept is forgotten.

        The change goes on when whoever asked for it is gone, for it cannot be taken back.
        """
        change = Write(work, idempotent=idempotent)
        deadline.set(asyncio.get_running_loop().time() + self._timeout)
        task = asyncio.create_task(self._run(change, forget))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=self._timeout)
        if not done:
            if change.call_off():
                raise not_begun(self._timeout)
            task.add_done_callback(_report)
            await forget()
            raise in_doubt(self._timeout)
        try:
            return task.result()
        except Exception as error:
            raise public_write_error(error, begun=change.begun) or error from error

    async def _run(self, change: Write[_T], forget: Forget) -> _T:
        try:
            return await self._calls.run(change)
        finally:
            # After a failure too: it may have come behind the change.
            await forget()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Looked at, so that asyncio does not complain where nobody waits for it any more.
            task.exception()


def _report(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    _log.warning("a change that took too long to be waited for %s", "failed" if error else "was made")
