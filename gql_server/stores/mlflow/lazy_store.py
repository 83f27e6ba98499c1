"""An MLflow store that opens on first use, and again after its file was replaced."""

from collections.abc import Callable, Hashable

from mlflow.store.tracking.abstract_store import AbstractStore

from gql_server.stores.file_identity import file_identity
from gql_server.stores.mlflow.open_store import open_store
from gql_server.stores.reopening import Reopening


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
        self._store = Reopening(self._open, _dispose, lambda: identity(uri))

    def get(self) -> AbstractStore:
        """Return the open store; raise `StoreConfigError` or `StoreUnavailable` if it does not open."""
        return self._store.get()

    def close(self) -> None:
        """Close the store's connections; the next use opens it again."""
        self._store.close()

    def _open(self) -> AbstractStore:
        store = self._build(self._uri, create=self._create)
        # A store that existed is not created again: after its deletion an empty store would hide the loss.
        self._create = False
        return store


def _dispose(store: AbstractStore) -> None:
    engine = getattr(store, "engine", None)
    if engine is not None:
        engine.dispose()
