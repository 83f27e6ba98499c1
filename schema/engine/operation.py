"""The context of one GraphQL operation: its store, its limits and the results of its fields."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from schema.engine.answer import Answer
from schema.ports.errors import LimitExceeded
from schema.ports.filter_string import MAX_FILTER_LENGTH, MAX_TOTAL_FILTER_LENGTH
from schema.ports.point_batch import PointBatchSource
from schema.ports.query_limits import QueryLimits
from schema.ports.table import Table
from schema.ports.tracking import TrackingWithArtifacts
from schema.ports.tracking_writes import TrackingWrites


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """The values of `Query.server` that do not depend on the store."""

    version: str
    mlflow_version: str
    read_only: bool


@dataclass(slots=True, eq=False)
class Operation:
    """The context value of one operation. Never share it between operations.

    A resolver returns a whole column, but graphql-core calls it once for each row. `compute_once` runs the
    resolver for the first row and returns the same column for the others. `run_once` does the same for the
    execution of a plan, without a task.
    """

    tracking: TrackingWithArtifacts
    server_info: ServerInfo
    limits: QueryLimits
    writes: TrackingWrites | None = None
    """The port for changes; None if the server is read-only."""
    answer: Answer = field(default_factory=Answer)
    metered: Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]] | None = None
    """Counts the processor time of what a task of the operation runs."""
    trace_level: Callable[[str, int], AbstractContextManager[Any]] | None = None
    """Makes the context manager in which a level is completed, from its type's name and number of rows."""
    point_batches: PointBatchSource | None = None
    """The points of the event of a stream; None if the operation has no events."""
    base_path: str = ""
    """The path prefix of the server's URLs, without a slash at its end: `/mlflow-graph`, or empty."""
    _results: dict[Hashable, tuple[Table, Any]] = field(default_factory=dict)
    _tasks: list[asyncio.Future[Any]] = field(default_factory=list)
    _changes: int = 0
    _filter_length: int = 0
    _closed: bool = False

    def compute_once(self, table: Table, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Return the result of `compute()` for this table and key; a coroutine becomes a task to await.

        Call `compute` for the first request only and store the result. An exception is stored and raised
        again in the same way. Raise `CancelledError` once the operation is closed.
        """
        stored = self._results.get((id(table), key))
        if stored is None:
            if self._closed:
                raise asyncio.CancelledError
            # The reference to the table prevents the reuse of its id for another table.
            stored = self._results[id(table), key] = (table, self._compute(compute))
        result = stored[1]
        if isinstance(result, _Failure):
            raise result.error.with_traceback(None)
        return result

    def run_once(self, table: Table, key: Hashable, compute: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of `compute(*arguments)` as `compute_once` does, but without a task.

        If it is awaitable, the first caller has to await or `start` what is returned. Later callers, and
        those of `compute_once`, wait for its result.
        """
        table_key = (id(table), key)
        if table_key in self._results or self._closed:
            return self.compute_once(table, key, compute)
        try:
            result = compute(*arguments)
        except Exception as error:
            self._results[table_key] = (table, _Failure(error))
            raise
        if not hasattr(result, "__await__"):
            self._results[table_key] = (table, result)
            return result
        future = asyncio.get_running_loop().create_future()
        self._results[table_key] = (table, future)
        return _settle(future, result)

    def start(self, result: Awaitable[Any]) -> asyncio.Future[Any]:
        """Start a task that computes a part of the result. It ends when the operation is closed."""
        task = self._task(result)
        self._tasks.append(task)
        return task

    async def gather(self, results: Sequence[Awaitable[Any]]) -> list[Any]:
        """Return all results, each computed by a task.

        The first exception is raised at once. The other tasks continue, because what they read is needed to
        complete the operation in the other way.
        """
        return await asyncio.gather(*map(self.start, results))

    def stored_result(self, table: Table, key: Hashable) -> Any:
        """Return the stored result for this table and key, or the exception that it raised.

        Return None if there is no result yet, or if its task is not done.
        """
        stored = self._results.get((id(table), key))
        result = stored[1] if stored else None
        if isinstance(result, _Failure):
            return result.error.with_traceback(None)
        if not isinstance(result, asyncio.Future):
            return result
        if not result.done() or result.cancelled():
            return None
        error = result.exception()
        return result.result() if error is None else error

    def count_changes(self, count: int) -> None:
        """Add to the number of changes; raise `LimitExceeded` for more than `max_batch` in one operation."""
        self._changes += count
        limit = self.limits.max_batch
        if self._changes > limit:
            message = f"A document may change at most {limit:,} objects (GQL_MAX_BATCH)."
            raise LimitExceeded(message)

    def checked_filter(self, text: str | None) -> str | None:
        """Return one of MLflow's filter strings, or None for an empty one.

        Raise `LimitExceeded` if all filters of the operation together are too long: the store parses a filter
        each time that it is used, and parsing takes time in proportion to the length.
        """
        # A filter that is too long by itself is refused by `count_comparisons`.
        self._filter_length += min(len(text or ""), MAX_FILTER_LENGTH)
        if self._filter_length > MAX_TOTAL_FILTER_LENGTH:
            message = f"All filters of an operation may have at most {MAX_TOTAL_FILTER_LENGTH:,} characters."
            raise LimitExceeded(message)
        return text or None

    def _compute(self, compute: Callable[[], Any]) -> Any:
        try:
            result = compute()
        except Exception as error:  # noqa: BLE001 - stored, and raised again on each request
            return _Failure(error)
        return self._task(result) if inspect.isawaitable(result) else result

    def _task(self, result: Awaitable[Any]) -> asyncio.Future[Any]:
        if self.metered is not None and asyncio.iscoroutine(result):
            result = self.metered(result)
        return asyncio.ensure_future(result)

    async def drop_results(self) -> None:
        """Drop the results of an executed operation, one in each turn: a million objects take 50 ms to free.

        `close` ends those that are not there yet.
        """
        for key in [
            key for key, (_, result) in self._results.items() if not isinstance(result, asyncio.Future)
        ]:
            self._results.pop(key, None)
            await self.answer.turns.take()

    def close(self) -> None:
        """Cancel all unfinished tasks and drop all results, for example after the client disconnected."""
        self._closed = True
        results = [result for _, result in self._results.values() if isinstance(result, asyncio.Future)]
        for result in (*self._tasks, *results):
            # Reading the exception of a failed task prevents asyncio from logging it as never retrieved.
            if not result.cancel() and not result.cancelled():
                result.exception()
        self._tasks.clear()
        # The result is encoded next, which takes as much memory again as the columns.
        self._results.clear()


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    """A stored exception that `compute` raised before it returned a coroutine."""

    error: Exception


async def _settle(future: asyncio.Future[Any], result: Awaitable[Any]) -> Any:
    """Await a result and pass it on to those who wait for the future, which is done if it was cancelled."""
    try:
        value = await result
    except Exception as error:
        if not future.done():
            future.set_exception(error)
            future.exception()  # Nobody may wait for it.
        raise
    except BaseException:
        future.cancel()
        raise
    if not future.done():
        future.set_result(value)
    return value
