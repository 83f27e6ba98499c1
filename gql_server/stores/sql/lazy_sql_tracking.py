"""The tracking port over a database that is opened when it is first used."""

import asyncio
from functools import partial

from typing_extensions import override

from gql_server.config.limits import StoreLimits
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.registry_factory import OpenableRegistry
from gql_server.stores.sql.lazy_engine import engine_of
from gql_server.stores.sql.tracking import SqlTracking
from gql_server.stores.workspaces import request_workspace


class LazySqlTracking(SqlTracking):
    """The port over the database at a tracking URI, with the engine of MLflow's own store.

    The first call opens it, and after a failure a later call. `registry` is the model registry, if it is in
    another store.
    """

    def __init__(
        self,
        uri: str,
        limits: StoreLimits,
        *,
        create: bool = False,
        registry: OpenableRegistry | None = None,
    ) -> None:
        self._store = LazyStore(uri, create=create)
        self._separate_registry = registry
        engine = partial(engine_of, self._store)
        super().__init__(engine, limits, workspace=request_workspace(), registry=registry)

    @property
    def lazy_store(self) -> LazyStore:
        """Return MLflow's own store, which writes through the same engine."""
        return self._store

    async def open(self) -> None:
        """Open the database and read from it.

        Raise `StoreConfigError` if the URI is invalid or the database must be upgraded, `StoreUnavailable` or
        `StoreTimeout` if a later attempt may succeed.
        """
        await asyncio.to_thread(self._store.get)
        await self.ready()
        if self._separate_registry is not None:
            await self._separate_registry.open()

    @override
    async def close(self) -> None:
        await super().close()
        if self._separate_registry is not None:
            await self._separate_registry.close()
        await asyncio.to_thread(self._store.close)
