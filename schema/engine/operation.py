"""What one GraphQL operation carries along: the store, the bounds, and the answers it already has."""

import asyncio
import inspect
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from schema.engine.chunked_json import Encoder
from schema.ports.errors import LimitExceeded
from schema.ports.filter_string import LONGEST, LONGEST_TOGETHER
from schema.ports.table import Table
from schema.ports.tracking import Tracking
from schema.ports.tracking_writes import TrackingWrites


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What `Query.server` says of this server."""

    version: str
    mlflow_version: str
    read_only: bool


@dataclass(slots=True, eq=False)
class Operation:
    """The context value of an operation; never shared between operations.

    Resolvers answer for whole tables, and graphql-core asks row by row: `once` lets the first row's question
    be the only one.
    """

    tracking: Tracking
    facts: ServerInfo
    max_page_size: int
    max_conditions: int = 500
    max_rows: int = 10_000
    max_scanned_runs: int = 100_000
    encoder: Encoder | None = None
    """Given by whoever turns the answer into bytes; without one the answer is plain objects."""
    max_compared_runs: int = 100
    watch: Callable[[str, int], AbstractContextManager[Any]] = lambda _type, _rows: nullcontext()
    """Entered while a level is completed, with its type's name and the number of its rows."""
    writing: TrackingWrites | None = None
    """The same store for changes; None where the server only reads."""
    max_batch: int = 20_000
    _spent: int = 0
    _filtered: int = 0
    base: str = ""
    """The path that the server is reached under, where a proxy or another application has it in a folder."""
    _answers: dict[Hashable, tuple[Table, Any]] = field(default_factory=dict)
    _closed: bool = False

    def once(self, table: Table, question: Hashable, ask: Callable[[], Any]) -> Any:
        """Return what `ask()` returns for this table and question; a coroutine becomes a task to await.

        A failure is kept like any other answer: all rows fail alike, and the store is not asked again.
        Once the operation is closed, whoever still asks is cancelled.
        """
        key = (id(table), question)
        known = self._answers.get(key)
        if known is None:
            if self._closed:
                raise asyncio.CancelledError
            # The table is kept with the answer, so that its id cannot come to mean another table.
            known = self._answers[key] = (table, _begin(ask))
        answer = known[1]
        if isinstance(answer, _Failure):
            raise answer.error.with_traceback(None)
        return answer

    def known(self, table: Table, question: Hashable) -> Any:
        """Return the answer to a question about this table, or what it failed with; None before that."""
        known = self._answers.get((id(table), question))
        answer = known[1] if known else None
        if isinstance(answer, _Failure):
            return answer.error.with_traceback(None)
        if not isinstance(answer, asyncio.Future):
            return answer
        if not answer.done() or answer.cancelled():
            return None
        error = answer.exception()
        return answer.result() if error is None else error

    def spend(self, count: int) -> None:
        """Count things that are changed; LimitExceeded where a document changes more than `max_batch`."""
        self._spent += count
        if self._spent > self.max_batch:
            message = f"A document may change at most {self.max_batch:,} things (GQL_MAX_BATCH)."
            raise LimitExceeded(message)

    def filter(self, text: str | None) -> str | None:
        """Return a filter string of MLflow's, None for an empty one; LimitExceeded where all are too long.

        Each is parsed by the store's own code, which takes as long again wherever the same one is used.
        """
        # One that is too long by itself has a refusal of its own.
        self._filtered += min(len(text or ""), LONGEST)
        if self._filtered > LONGEST_TOGETHER:
            message = (
                f"The filters of an operation may have at most {LONGEST_TOGETHER:,} characters together."
            )
            raise LimitExceeded(message)
        return text or None

    def close(self) -> None:
        """Stop whatever is still under way, as when the client has left."""
        self._closed = True
        for _, answer in self._answers.values():
            # What failed after the last who waited had gone is a failure all the same, and no news.
            if isinstance(answer, asyncio.Future) and not answer.cancel() and not answer.cancelled():
                answer.exception()
        # What the store gave is not needed while the answer is encoded, which takes as much memory again.
        self._answers.clear()


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    """What `ask` raised at once."""

    error: Exception


def _begin(ask: Callable[[], Any]) -> Any:
    try:
        answer = ask()
    except Exception as error:  # noqa: BLE001 - kept, and raised to each who asks
        return _Failure(error)
    return asyncio.ensure_future(answer) if inspect.iscoroutine(answer) else answer
