"""MLflow's tables of the model registry, and their columns by the names of the port."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ColumnElement, Integer, String, Table, Text, func

from gql_server.stores.mlflow_names import NO_STAGE
from gql_server.stores.sql.tables import KEY, METADATA, RUN_ID

_WORKSPACE: Final = String(63)
_NAME: Final = String(256)

REGISTERED: Final = Table(
    "registered_models",
    METADATA,
    Column("workspace", _WORKSPACE),
    Column("name", _NAME),
    Column("creation_time", BigInteger),
    Column("last_updated_time", BigInteger),
    Column("description", String(5000)),
)
REGISTERED_TAGS: Final = Table(
    "registered_model_tags",
    METADATA,
    Column("workspace", _WORKSPACE),
    Column("name", _NAME),
    Column("key", KEY),
    Column("value", String(5000)),
)
ALIASES: Final = Table(
    "registered_model_aliases",
    METADATA,
    Column("workspace", _WORKSPACE),
    Column("name", _NAME),
    Column("alias", String(256)),
    Column("version", Integer),
)
VERSIONS: Final = Table(
    "model_versions",
    METADATA,
    Column("workspace", _WORKSPACE),
    Column("name", _NAME),
    Column("version", Integer),
    Column("creation_time", BigInteger),
    Column("last_updated_time", BigInteger),
    Column("description", String(5000)),
    Column("current_stage", String(20)),
    Column("source", String(500)),
    Column("run_id", RUN_ID),
    Column("status", String(20)),
)
VERSION_TAGS: Final = Table(
    "model_version_tags",
    METADATA,
    Column("workspace", _WORKSPACE),
    Column("name", _NAME),
    Column("version", Integer),
    Column("key", KEY),
    Column("value", Text),
)

REGISTERED_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "name": REGISTERED.c.name,
    "description": func.nullif(REGISTERED.c.description, ""),
    "created_at": REGISTERED.c.creation_time,
    "updated_at": REGISTERED.c.last_updated_time,
}
VERSION_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "name": VERSIONS.c.name,
    "version": VERSIONS.c.version,
    "stage": func.nullif(VERSIONS.c.current_stage, NO_STAGE),
    "status": VERSIONS.c.status,
    "description": func.nullif(VERSIONS.c.description, ""),
    "source": VERSIONS.c.source,
    "created_at": VERSIONS.c.creation_time,
    "updated_at": VERSIONS.c.last_updated_time,
    "source_run_id": VERSIONS.c.run_id,
    "logged_model_id": VERSIONS.c.source,
}
