"""A database at a tracking URI: opened when it is first needed, and read directly."""

import asyncio

from sqlalchemy import Engine

from gql_server.config.limits import StoreLimits
from gql_server.stores.mlflow.lazy_store import LazyStore
from gql_server.stores.registry_factory import OpenableRegistry
from gql_server.stores.sql.tracking import SqlTracking
from gql_server.stores.workspaces import workspace_of_request


class LazySqlTracking(SqlTracking):
    """The port over the database at a tracking URI, on the engine of MLflow's own store.

    It costs nothing until it is used; it opens with the first call, and after a failure with a later one.
    `registry` is the model registry, where it is in another store.
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
        super().__init__(self._engine_of_store, limits, workspace=workspace_of_request(), registry=registry)

    @property
    def lazy_store(self) -> LazyStore:
        """Return MLflow's own store, for changes; its engine is the one that is read with."""
        return self._store

    async def open(self) -> None:
        """Open the database and ask it something, at the server's start.

        Raises `Unusable` where the URI has to be changed or the database upgraded first, and
        `StoreUnavailable` or `StoreTimeout` where it may come up by itself.
        """
        await asyncio.to_thread(self._store.get)
        await self.ready()
        if self._separate_registry is not None:
            await self._separate_registry.open()

    async def close(self) -> None:
        """Let go of threads and connections."""
        await super().close()
        if self._separate_registry is not None:
            await self._separate_registry.close()
        await asyncio.to_thread(self._store.close)

    def _engine_of_store(self) -> Engine:
        engine: Engine = self._store.get().engine  # type: ignore[attr-defined]
        return engine
