"""The tracking port over a database that is opened when it is first used."""

import asyncio
from collections.abc import Callable, Hashable

from sqlalchemy import Engine
from typing_extensions import override

from gql_server.config.limits import StoreLimits
from gql_server.stores.database_url import parse_database_url
from gql_server.stores.file_identity import file_identity
from gql_server.stores.openable_registry import OpenableRegistry
from gql_server.stores.sql.database.database import Database
from gql_server.stores.sql.database.interrupted_write import roll_back_interrupted_write
from gql_server.stores.sql.database.read_engine import create_read_engine
from gql_server.stores.sql.event_loop.factory import loop_reader_for
from gql_server.stores.sql.tracking import SqlTracking
from gql_server.stores.uri import sqlite_file
from gql_server.stores.workspaces import request_workspace, workspaces_enabled


class LazySqlTracking(SqlTracking):
    """The port over the database at a tracking URI, of any revision of MLflow.

    The first call opens it, and after a failure a later call. `create` returns whether MLflow may create a
    SQLite file at the URI if it does not exist. `registry` is the model registry, if it is in another store.
    `writable` lets SQLite undo a write whose process was killed, before the file is read.
    """

    def __init__(
        self,
        uri: str,
        limits: StoreLimits,
        *,
        create: Callable[[str], bool] = lambda _uri: False,
        registry: OpenableRegistry | None = None,
        writable: bool = False,
    ) -> None:
        self._uri = uri
        self._limits = limits
        self._may_create = create
        self._writable = writable
        self._has_existed = False
        self._openable_registry = registry
        self._database = Database(uri, self._create_engine, limits, workspaces=workspaces_enabled())
        super().__init__(
            self._database,
            limits,
            workspace=request_workspace(),
            registry=registry,
            loop_reader=loop_reader_for(uri, limits),
        )

    def identity(self, uri: str) -> Hashable:
        """Return what changes when the database's file is replaced or its revision changes. This blocks."""
        return file_identity(uri), self._database.get().schema.revision

    async def open(self) -> None:
        """Open the database and read from it.

        Raise `StoreConfigError` if the URI is invalid or the database cannot be served, `StoreUnavailable` or
        `StoreTimeout` if a later attempt may succeed.
        """
        await asyncio.to_thread(self._database.get)
        await self.ready()
        if self._openable_registry is not None:
            await self._openable_registry.open()

    @override
    async def close(self) -> None:
        await super().close()
        if self._openable_registry is not None:
            await self._openable_registry.close()
        await asyncio.to_thread(self._database.close)

    def _create_engine(self) -> Engine:
        path = sqlite_file(parse_database_url(self._uri))
        is_missing = path is not None and not path.exists()
        # A store that existed is not created again: an empty store would hide that it was deleted.
        if is_missing and not self._has_existed and self._may_create(self._uri):
            from gql_server.stores.mlflow.new_sqlite_store import create_sqlite_store  # noqa: PLC0415 - takes seconds

            create_sqlite_store(self._uri)
        if self._writable:
            roll_back_interrupted_write(self._uri)
        engine = create_read_engine(self._uri, self._limits.database_threads, self._limits.store_timeout)
        self._has_existed = True
        return engine
