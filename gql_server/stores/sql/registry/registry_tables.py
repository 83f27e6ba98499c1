"""MLflow's tables of the model registry, and their columns by the names of the port."""

from typing import Any, Final

from mlflow.entities.model_registry.model_version_stages import STAGE_NONE
from mlflow.store.model_registry.dbmodels.models import (
    SqlModelVersion,
    SqlModelVersionTag,
    SqlRegisteredModel,
    SqlRegisteredModelAlias,
    SqlRegisteredModelTag,
)
from mlflow.utils.workspace_utils import DEFAULT_WORKSPACE_NAME
from sqlalchemy import ColumnElement, func

from gql_server.stores.sql.session import Session
from gql_server.stores.sql.tables import table_of

REGISTERED: Final = table_of(SqlRegisteredModel)
REGISTERED_TAGS: Final = table_of(SqlRegisteredModelTag)
ALIASES: Final = table_of(SqlRegisteredModelAlias)
VERSIONS: Final = table_of(SqlModelVersion)
VERSION_TAGS: Final = table_of(SqlModelVersionTag)

REGISTERED_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "name": REGISTERED.c.name,
    "description": func.nullif(REGISTERED.c.description, ""),
    "created_at": REGISTERED.c.creation_time,
    "updated_at": REGISTERED.c.last_updated_time,
}
VERSION_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "name": VERSIONS.c.name,
    "version": VERSIONS.c.version,
    "stage": func.nullif(VERSIONS.c.current_stage, STAGE_NONE),
    "status": VERSIONS.c.status,
    "description": func.nullif(VERSIONS.c.description, ""),
    "source": VERSIONS.c.source,
    "created_at": VERSIONS.c.creation_time,
    "updated_at": VERSIONS.c.last_updated_time,
    "source_run_id": VERSIONS.c.run_id,
    "logged_model_id": VERSIONS.c.source,
}


def registry_workspace(session: Session) -> str:
    """Return the session's workspace: a row of the registry has one in a store without workspaces, too."""
    return session.workspace or DEFAULT_WORKSPACE_NAME
