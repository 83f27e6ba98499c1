"""An MLflow store that opens on first use, and again after its file was replaced."""

import time
from collections.abc import Callable, Hashable
from threading import Lock

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.stores.file_identity import file_identity
from gql_server.stores.mlflow.open_store import open_store
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable

RETRY_SECONDS = 1.0
"""Time after a failure to open before the next attempt."""


class LazyStore:
    """Opens MLflow's store at a URI with `build`. Its methods block; call them in worker threads.

    The store opens again when `identity` of the URI changes, as it does when its file is replaced.
    """

    def __init__(
        self,
        uri: str,
        *,
        create: bool = False,
        build: Callable[..., AbstractStore] = open_store,
        identity: Callable[[str], Hashable] = file_identity,
    ) -> None:
        self._uri = uri
        self._build = build
        self._create = create
        self._lock = Lock()
        self._store: AbstractStore | None = None
        self._read_identity = identity
        self._identity: Hashable = None
        self._failure: tuple[float, StoreConfigError | StoreUnavailable] | None = None

    def get(self) -> AbstractStore:
        """Return the open store.

        Raises `StoreConfigError` or `StoreUnavailable` if it does not open, and the same error without
        another attempt for the next `RETRY_SECONDS`.
        """
        with self._lock:
            try:
                self._close_if_replaced()
                return self._store or self._open()
            except (StoreConfigError, StoreUnavailable) as error:
                self._failure = self._failure or (time.monotonic() + RETRY_SECONDS, error)
                raise

    def close(self) -> None:
        """Close the store's connections; the next use opens it again."""
        with self._lock:
            self._close()

    def _open(self) -> AbstractStore:
        if self._failure is not None:
            until, error = self._failure
            if time.monotonic() < until:
                raise type(error)(*error.args) from error
        self._failure = None
        store = self._build(self._uri, create=self._create)
        self._identity = self._read_identity(self._uri)
        # A store that existed is not created again: after its deletion an empty store would hide the loss.
        self._create = False
        self._store = store
        return store

    def _close_if_replaced(self) -> None:
        if self._store is None:
            return
        try:
            same = self._read_identity(self._uri) == self._identity
        except (StoreConfigError, StoreUnavailable):
            self._close()
            raise
        if not same:
            self._close()

    def _close(self) -> None:
        store, self._store = self._store, None
        engine = getattr(store, "engine", None)
        if engine is not None:
            engine.dispose()
