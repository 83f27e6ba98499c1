"""Fixtures: each kind of store, MLflow's client for it, and the port over it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from gql_server.stores.mlflow.tracking import MlflowTracking
from gql_server.stores.sql.lazy_sql_tracking import LazySqlTracking
from schema.ports.store_kind import StoreKind
from tests.support.limits import store_limits
from tests.support.stores.store import Store

KINDS = ("sqlite", "postgres", "mysql", "file", "server")


@dataclass(frozen=True)
class StoreUnderTest:
    """A store to fill with MLflow's client, and the port to read it."""

    kind: str
    uri: str
    client: MlflowClient
    port: LazySqlTracking | MlflowTracking


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Give each kind of store, empty."""
    store: Store = request.getfixturevalue(f"{request.param}_store")
    yield store
    # The registry's store has a connection pool for the lifetime of the process.
    engine = SqlAlchemyStore._engine_map.pop(store.uri, None)  # noqa: SLF001 - there is no public method
    if engine is not None:
        engine.dispose()


@pytest.fixture
async def tested(any_store: Store) -> AsyncIterator[StoreUnderTest]:
    """Give a store with the port over it, as the server opens it."""
    uri = any_store.uri
    sql = any_store.kind is StoreKind.SQL
    port = (
        LazySqlTracking(
            uri,
            store_limits(database_threads=4, max_points=1000, max_groups=100, max_sampled_points=1000),
        )
        if sql
        else MlflowTracking(uri, store_limits(store_threads=4))
    )
    yield StoreUnderTest(any_store.name, uri, MlflowClient(uri, uri), port)
    await port.close()
