"""The workspace of the registry's rows."""

from typing import Any

from sqlalchemy import ColumnElement, Table

from gql_server.stores.mlflow_names import DEFAULT_WORKSPACE
from gql_server.stores.sql.session import Session
from schema.ports.store_info import StoreFeature


def in_registry_workspace(session: Session, table: Table) -> list[ColumnElement[Any]]:
    """Return the conditions that a row of the registry is in the session's workspace.

    Since MLflow 3.10 a row has a workspace in a store without workspaces, too; before, it has none.
    """
    if not session.schema.has(StoreFeature.WORKSPACES):
        return []
    return [table.c.workspace == (session.workspace or DEFAULT_WORKSPACE)]
