"""The port to a model registry over a database that is opened when it is first used."""

import asyncio
from functools import partial

from gql_server.config.limits import StoreLimits
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.sql.lazy_engine import engine_of
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.workspaces import request_workspace


class LazySqlRegistry(SqlRegistry):
    """The model registry in a database that is not the tracking store."""

    def __init__(self, uri: str, limits: StoreLimits) -> None:
        self._store = LazyStore(uri)
        engine = partial(engine_of, self._store)
        super().__init__(SessionPool(engine, limits.store_threads, limits.store_timeout, request_workspace()))

    async def open(self) -> None:
        """Open the database; raise `StoreConfigError` or `StoreUnavailable`."""
        await asyncio.to_thread(self._store.get)

    async def close(self) -> None:
        """Release threads and connections."""
        await self._pool.close()
        await asyncio.to_thread(self._store.close)
