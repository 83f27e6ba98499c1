"""What one GraphQL operation carries along: the store, the bounds, and the answers it already has."""

import asyncio
import inspect
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from schema.encoding import Encoder
from schema.table import Table
from schema.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Facts:
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
    facts: Facts
    max_page_size: int
    encoder: Encoder | None = None
    """Given by whoever turns the answer into bytes; without one the answer is plain objects."""
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
