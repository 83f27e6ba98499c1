"""The port to a model registry over a database that is opened when it is first used."""

import asyncio
from functools import partial

from gql_server.config.limits import StoreLimits
from gql_server.stores.sql.database.database import Database
from gql_server.stores.sql.database.database_schema import REGISTRY_TABLES
from gql_server.stores.sql.database.read_engine import create_read_engine
from gql_server.stores.sql.registry.registry import SqlRegistry
from gql_server.stores.sql.session_pool import SessionPool
from gql_server.stores.workspaces import request_workspace, workspaces_enabled


class LazySqlRegistry(SqlRegistry):
    """The model registry in a database that is not the tracking store."""

    def __init__(self, uri: str, limits: StoreLimits) -> None:
        threads, timeout = limits.database_threads, limits.store_timeout
        create_engine = partial(create_read_engine, uri, threads, timeout)
        self._database = Database(
            uri, create_engine, limits, required=REGISTRY_TABLES, workspaces=workspaces_enabled()
        )
        self._pool = SessionPool(self._database, threads, timeout, request_workspace())
        super().__init__(self._pool)

    async def open(self) -> None:
        """Open the database; raise `StoreConfigError` or `StoreUnavailable`."""
        await asyncio.to_thread(self._database.get)

    async def close(self) -> None:
        """Release threads and connections."""
        await self._pool.close()
        await asyncio.to_thread(self._database.close)
