"""A store that is opened when it is first needed, and again when it has gone and come back."""

import time
from collections.abc import Callable
from threading import Lock

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.stores.mlflow.open_store import Identity, identity, open_store
from gql_server.stores.store_config_error import StoreConfigError
from schema.ports.errors import StoreUnavailable

RETRY_SECONDS = 1.0
"""How long after a failure the next try to open may come."""


class LazyStore:
    """Holds MLflow's store for a URI, as `build` makes it. Its methods block, in worker threads."""

    def __init__(
        self, uri: str, *, create: bool = False, build: Callable[..., AbstractStore] = open_store
    ) -> None:
        self._uri = uri
        self._build = build
        self._create = create
        self._lock = Lock()
        self._store: AbstractStore | None = None
        self._identity: Identity = None
        self._failure: tuple[float, StoreConfigError | StoreUnavailable] | None = None

    def get(self) -> AbstractStore:
        """Return the open store.

        Raises `StoreConfigError` or `StoreUnavailable` where it does not open; for a moment afterwards the
        same again, without another try.
        """
        with self._lock:
            try:
                self._drop_if_gone()
                return self._store or self._open()
            except (StoreConfigError, StoreUnavailable) as error:
                self._failure = self._failure or (time.monotonic() + RETRY_SECONDS, error)
                raise

    def close(self) -> None:
        """Close the store's connections; the next use opens it again."""
        with self._lock:
            self._drop()

    def _open(self) -> AbstractStore:
        if self._failure is not None:
            until, error = self._failure
            if time.monotonic() < until:
                raise type(error)(*error.args) from error
        self._failure = None
        store = self._build(self._uri, create=self._create)
        self._identity = identity(self._uri)
        # What was there once is not made anew: it was deleted, and an empty store is no answer to that.
        self._create = False
        self._store = store
        return store

    def _drop_if_gone(self) -> None:
        if self._store is None:
            return
        try:
            same = identity(self._uri) == self._identity
        except StoreUnavailable:
            self._drop()
            raise
        if not same:
            self._drop()

    def _drop(self) -> None:
        store, self._store = self._store, None
        engine = getattr(store, "engine", None)
        if engine is not None:
            engine.dispose()
