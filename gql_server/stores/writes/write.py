"""One change of a store: a function to run in a thread, which can be called off until it begins."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.runtime.retry import RetryableError
from gql_server.stores.writes.write_errors import collided

_T = TypeVar("_T")
_TRIES = 5
"""How often a change is made that others get in the way of; each time at least one of them gets through."""


class WriteCancelled(Exception):
    """The change was called off before it began."""


class Write(Generic[_T]):
    """Calls `work` with the store; `begun` says whether the store may have seen anything of it.

    With `idempotent`, what a database undid because others changed the same at once is done again.
    """

    def __init__(self, work: Callable[[AbstractStore], _T], *, idempotent: bool) -> None:
        self.begun = False
        self._work = work
        self._tries = _TRIES if idempotent else 1
        self._called_off = False
        self._lock = Lock()

    def __call__(self, store: AbstractStore) -> _T:
        """Make the change; raise `WriteCancelled` where nobody wants it any more."""
        with self._lock:
            if self._called_off:
                raise WriteCancelled
            self.begun = True
        try:
            return self._make(store)
        except RetryableError as error:
            self.begun = not error.rejected
            raise

    def call_off(self) -> bool:
        """Keep the change from beginning; say whether that was in time."""
        with self._lock:
            self._called_off = not self.begun
            return self._called_off

    def _make(self, store: AbstractStore) -> _T:
        for _ in range(self._tries - 1):
            try:
                return self._work(store)
            except Exception as error:
                if not collided(error):
                    raise
        return self._work(store)
