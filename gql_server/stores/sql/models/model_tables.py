"""MLflow's tables of datasets and logged models, and what the port calls their columns."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Integer,
    String,
    Table,
    Text,
    UnicodeText,
    case,
    cast,
    func,
)

from gql_server.stores.mlflow_names import LOGGED_MODEL_STATUSES
from gql_server.stores.sql.tables import METADATA, RUN_ID

_ID: Final = String(36)
_KEY: Final = String(255)

DATASETS: Final = Table(
    "datasets",
    METADATA,
    Column("dataset_uuid", _ID),
    Column("name", String(500)),
    Column("digest", String(36)),
    Column("dataset_source_type", String(36)),
    Column("dataset_source", UnicodeText),
    Column("dataset_schema", UnicodeText),
    Column("dataset_profile", UnicodeText),
)
INPUTS: Final = Table(
    "inputs",
    METADATA,
    Column("input_uuid", _ID),
    Column("source_type", String(36)),
    Column("source_id", _ID),
    Column("destination_type", String(36)),
    Column("destination_id", _ID),
)
INPUT_TAGS: Final = Table(
    "input_tags",
    METADATA,
    Column("input_uuid", _ID),
    Column("name", _KEY),
    Column("value", String(500)),
)
MODELS: Final = Table(
    "logged_models",
    METADATA,
    Column("model_id", _ID),
    Column("experiment_id", Integer),
    Column("name", String(500)),
    Column("artifact_location", String(1000)),
    Column("creation_timestamp_ms", BigInteger),
    Column("last_updated_timestamp_ms", BigInteger),
    Column("status", Integer),
    Column("lifecycle_stage", String(32)),
    Column("model_type", String(500)),
    Column("source_run_id", RUN_ID),
)
MODEL_PARAMS: Final = Table(
    "logged_model_params",
    METADATA,
    Column("model_id", _ID),
    Column("experiment_id", Integer),
    Column("param_key", _KEY),
    Column("param_value", Text),
)
MODEL_TAGS: Final = Table(
    "logged_model_tags",
    METADATA,
    Column("model_id", _ID),
    Column("experiment_id", Integer),
    Column("tag_key", _KEY),
    Column("tag_value", Text),
)
MODEL_METRICS: Final = Table(
    "logged_model_metrics",
    METADATA,
    Column("model_id", _ID),
    Column("experiment_id", Integer),
    Column("run_id", RUN_ID),
    Column("dataset_name", String(500)),
    Column("dataset_digest", String(36)),
    Column("metric_name", String(500)),
    Column("metric_timestamp_ms", BigInteger),
    Column("metric_step", BigInteger),
    Column("metric_value", Float(53)),
)


DATASET_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "name": DATASETS.c.name,
    "digest": DATASETS.c.digest,
    "source_type": DATASETS.c.dataset_source_type,
    "source": DATASETS.c.dataset_source,
    "schema": DATASETS.c.dataset_schema,
    "profile": DATASETS.c.dataset_profile,
    "context": INPUT_TAGS.c.value,
}
MODEL_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "model_id": MODELS.c.model_id,
    "name": MODELS.c.name,
    "status": case(LOGGED_MODEL_STATUSES, value=MODELS.c.status, else_=cast(MODELS.c.status, String(12))),
    "model_type": func.nullif(MODELS.c.model_type, ""),
    "created_at": MODELS.c.creation_timestamp_ms,
    "updated_at": MODELS.c.last_updated_timestamp_ms,
    "artifact_location": MODELS.c.artifact_location,
    "experiment_id": MODELS.c.experiment_id,
    "source_run_id": MODELS.c.source_run_id,
}
