"""MLflow's SQL stores for changes, opened without side effects: no table, row, file or folder is created.

MLflow's own constructor caches one engine per URI for the life of the process, retries a connection for a
hundred seconds, creates folders that a SQLite URI seems to name, and inserts a missing Default experiment.
"""

import os
from typing import Any

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.store.db.utils import create_sqlalchemy_engine
from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.tracking.sqlalchemy_workspace_store import WorkspaceAwareSqlAlchemyStore
from sqlalchemy import Engine
from typing_extensions import override

from gql_server.stores.database_url import connection_url


def _create_engine(uri: str) -> Engine:
    url = connection_url(uri).render_as_string(hide_password=False)
    engine: Engine = create_sqlalchemy_engine(url)
    # Statement parameters contain what a client requested, and errors that include them may be logged.
    engine.hide_parameters = True
    return engine


class _SqlStore(SqlAlchemyStore):
    @classmethod
    @override
    def _get_or_create_engine(cls, db_uri: str) -> Engine:
        return _create_engine(db_uri)

    @override
    def _create_default_experiment(self, session: Any) -> None:
        """Do nothing; MLflow calls this if there is no Default experiment."""


class _WorkspaceSqlStore(WorkspaceAwareSqlAlchemyStore):
    @classmethod
    @override
    def _get_or_create_engine(cls, db_uri: str) -> Engine:
        return _create_engine(db_uri)

    @override
    def _create_default_experiment(self, session: Any, workspace_override: str | None = None) -> None:
        """Do nothing; MLflow calls this at each start."""


def open_mlflow_sql_store(uri: str) -> SqlAlchemyStore:
    """Open a database whose schema was checked.

    The store has its own engine; the caller must dispose of `store.engine`.
    """
    return (_WorkspaceSqlStore if MLFLOW_ENABLE_WORKSPACES.get() else _SqlStore)(uri, _artifact_root())


def create_default_experiment(uri: str) -> None:
    """Let MLflow create its Default experiment in a new database."""
    workspaces = MLFLOW_ENABLE_WORKSPACES.get()
    store_class: type[SqlAlchemyStore] = WorkspaceAwareSqlAlchemyStore if workspaces else SqlAlchemyStore
    store_class(uri, _artifact_root())
    engine = store_class._engine_map.pop(uri, None)  # noqa: SLF001 - there is no public method to release it
    if engine is not None:
        engine.dispose()


def _artifact_root() -> str:
    return os.environ.get("_MLFLOW_SERVER_ARTIFACT_ROOT", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
