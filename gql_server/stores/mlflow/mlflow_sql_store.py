"""MLflow's SQL stores, opened without a trace: no table, row, file or folder is made.

MLflow's own constructor keeps one engine a URI for the life of the process, tries a connection for a hundred
seconds, makes folders that a SQLite URI seems to name, and inserts a Default experiment that is not there.
"""

from typing import Any

from mlflow.environment_variables import MLFLOW_ENABLE_WORKSPACES
from mlflow.store.db.utils import create_sqlalchemy_engine
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.tracking.sqlalchemy_workspace_store import WorkspaceAwareSqlAlchemyStore
from sqlalchemy import Engine

from gql_server.stores.mlflow.schema_check import connectable


def _engine(uri: str) -> Engine:
    url = connectable(uri).render_as_string(hide_password=False)
    engine: Engine = create_sqlalchemy_engine(url)
    # What was asked for is in the parameters, and an error that holds them may be logged.
    engine.hide_parameters = True
    return engine


class _SqlStore(SqlAlchemyStore):
    @classmethod
    def _get_or_create_engine(cls, db_uri: str) -> Engine:
        return _engine(db_uri)

    def _create_default_experiment(self, session: Any) -> None:
        """Leave it out: MLflow calls this where there is none."""


class _WorkspaceSqlStore(WorkspaceAwareSqlAlchemyStore):
    @classmethod
    def _get_or_create_engine(cls, db_uri: str) -> Engine:
        return _engine(db_uri)

    def _create_default_experiment(self, session: Any, workspace_override: str | None = None) -> None:
        """Leave it out: MLflow calls this at each start."""


def sql_store(uri: str, artifact_root: str, *, default_experiment: bool) -> SqlAlchemyStore:
    """Open a checked database; `default_experiment` lets MLflow make its own where there is none.

    The store has an engine of its own: whoever opened it disposes of `store.engine`.
    """
    workspaces = MLFLOW_ENABLE_WORKSPACES.get()
    if default_experiment:
        _make_default_experiment(uri, artifact_root, workspaces=workspaces)
    return (_WorkspaceSqlStore if workspaces else _SqlStore)(uri, artifact_root)


def _make_default_experiment(uri: str, artifact_root: str, *, workspaces: bool) -> None:
    whole: type[SqlAlchemyStore] = WorkspaceAwareSqlAlchemyStore if workspaces else SqlAlchemyStore
    whole(uri, artifact_root)
    engine = whole._engine_map.pop(uri, None)  # noqa: SLF001 - MLflow has no other way to let go of it
    if engine is not None:
        engine.dispose()
