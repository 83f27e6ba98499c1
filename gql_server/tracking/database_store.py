"""A database at a tracking URI: opened when it is first needed, and read directly."""

import asyncio
from collections.abc import Callable

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.utils.workspace_context import get_request_workspace
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME
from sqlalchemy import Engine

from gql_server.tracking.lazy_store import LazyStore
from gql_server.tracking.sql import SqlTracking


class DatabaseTracking(SqlTracking):
    """The port over the database at a tracking URI, on the engine of MLflow's own store.

    It costs nothing until it is used; it opens with the first call, and after a failure with a later one.
    """

    def __init__(
        self, uri: str, *, threads: int, timeout: float, max_points: int, create: bool = False
    ) -> None:
        self._store = LazyStore(uri, create=create)
        super().__init__(
            self._engine_of_store,
            threads=threads,
            timeout=timeout,
            max_points=max_points,
            workspace=_workspaces(),
        )

    async def open(self) -> None:
        """Open the database and ask it something, at the server's start.

        Raises `Unusable` where the URI has to be changed or the database upgraded first, and
        `StoreUnavailable` or `StoreTimeout` where it may come up by itself.
        """
        await asyncio.to_thread(self._store.get)
        await self.ready()

    async def close(self) -> None:
        """Let go of threads and connections."""
        await super().close()
        await asyncio.to_thread(self._store.close)

    def _engine_of_store(self) -> Engine:
        engine: Engine = self._store.get().engine  # type: ignore[attr-defined]
        return engine


def _workspaces() -> Callable[[], str | None]:
    if not MLFLOW_ENABLE_WORKSPACES.get():
        return lambda: None
    return lambda: get_request_workspace() or DEFAULT_WORKSPACE_NAME
