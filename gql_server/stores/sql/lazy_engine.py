"""The engine of a store of MLflow's that opens when it is first used."""

from sqlalchemy import Engine

from gql_server.stores.mlflow.lazy_store import LazyStore


def engine_of(store: LazyStore) -> Engine:
    """Return the engine of MLflow's store for a database, and open the store if it is not open.

    It blocks. Raise `StoreConfigError` or `StoreUnavailable` if the store does not open.
    """
    engine: Engine = store.get().engine  # type: ignore[attr-defined]
    return engine
