"""One write: a function that runs in a worker thread and can be cancelled until it starts."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.runtime.retry import RetryableError
from gql_server.stores.writes.write_errors import is_conflict

_T = TypeVar("_T")
_MAX_ATTEMPTS = 5
"""Attempts of a write that conflicts with concurrent writes; in each attempt at least one write succeeds."""


class WriteCancelled(Exception):
    """The write was cancelled before it started."""


class Write(Generic[_T]):
    """Calls `function` with the store; `started` is False as long as the store has not processed the write.

    If it is `idempotent`, it is repeated after the database rolled it back because of a concurrent write.
    """

    def __init__(self, function: Callable[[AbstractStore], _T], *, idempotent: bool) -> None:
        self.started = False
        self._function = function
        self._max_attempts = _MAX_ATTEMPTS if idempotent else 1
        self._cancelled = False
        self._lock = Lock()

    def __call__(self, store: AbstractStore) -> _T:
        """Run the write; raise `WriteCancelled` if it was cancelled."""
        with self._lock:
            if self._cancelled:
                raise WriteCancelled
            self.started = True
        try:
            return self._run(store)
        except RetryableError as error:
            self.started = not error.rejected
            raise

    def cancel(self) -> bool:
        """Prevent the write from starting; return False if it has started."""
        with self._lock:
            self._cancelled = not self.started
            return self._cancelled

    def _run(self, store: AbstractStore) -> _T:
        for _ in range(self._max_attempts - 1):
            try:
                return self._function(store)
            except Exception as error:
                if not is_conflict(error):
                    raise
        return self._function(store)
