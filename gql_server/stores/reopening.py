"""A resource that opens when it is first used, and again after what it was opened from was replaced."""

import logging
import time
from collections.abc import Callable, Hashable
from copy import copy
from threading import Lock
from typing import Final, Generic, TypeVar

from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
"""Time after a failure to open before the next attempt."""


class Reopening(Generic[_T]):
    """Opens a resource with `open_resource`; `identity` returns what changes when it must be opened again.

    All methods but `current` block. `open_resource` and `identity` may raise `StoreConfigError` and
    `StoreUnavailable`.
    """

    def __init__(
        self,
        open_resource: Callable[[], _T],
        close_resource: Callable[[_T], None],
        identity: Callable[[], Hashable],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_resource = open_resource
        self._close_resource = close_resource
        self._read_identity = identity
        self._clock = clock
        self._lock = Lock()
        self._resource: _T | None = None
        self._identity: Hashable = None
        self._was_open = False
        self._failure: tuple[float, StoreConfigError | StoreUnavailable] | None = None

    def get(self) -> _T:
        """Return the open resource.

        Raises `StoreConfigError` or `StoreUnavailable` if it does not open, and the same error without
        another attempt for the next `RETRY_SECONDS`.
        """
        with self._lock:
            try:
                self._close_if_replaced()
                return self._open() if self._resource is None else self._resource
            except (StoreConfigError, StoreUnavailable) as error:
                if self._failure is None:
                    # Not for the callers of the next seconds, who get the same error. An error of the
                    # configuration that is there from the beginning is printed by the command.
                    if self._was_open or isinstance(error, StoreUnavailable):
                        _log.warning("the store does not open: %s", error)
                    self._failure = (self._clock() + RETRY_SECONDS, error)
                raise

    def current(self) -> _T | None:
        """Return the open resource, None if it has to be opened first. This does not block."""
        resource = self._resource
        if resource is None:
            return None
        try:
            return resource if self._read_identity() == self._identity else None
        except (StoreConfigError, StoreUnavailable):
            return None

    def discard(self, resource: _T) -> None:
        """Close a resource if it is the open one, so that the next use opens it again."""
        with self._lock:
            if self._resource is resource:
                self._close()

    def close(self) -> None:
        """Close the resource; the next use opens it again."""
        with self._lock:
            self._close()

    def _open(self) -> _T:
        if self._failure is not None:
            until, error = self._failure
            if self._clock() < until:
                raise copy(error) from error
        self._failure = None
        resource = self._open_resource()
        try:
            self._identity = self._read_identity()
        except BaseException:
            self._close_resource(resource)
            raise
        self._resource, self._was_open = resource, True
        return resource

    def _close_if_replaced(self) -> None:
        if self._resource is None:
            return
        try:
            same = self._read_identity() == self._identity
        except (StoreConfigError, StoreUnavailable):
            self._close()
            raise
        if not same:
            self._close()

    def _close(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            self._close_resource(resource)
