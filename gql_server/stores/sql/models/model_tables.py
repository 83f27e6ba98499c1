"""MLflow's tables of datasets and logged models, and what the port calls their columns."""

from typing import Any, Final

from mlflow.entities import LoggedModelStatus
from mlflow.store.tracking.dbmodels.models import (
    SqlDataset,
    SqlInput,
    SqlInputTag,
    SqlLoggedModel,
    SqlLoggedModelMetric,
    SqlLoggedModelParam,
    SqlLoggedModelTag,
)
from sqlalchemy import ColumnElement, String, case, cast, func

from gql_server.stores.sql.tables import table_of

DATASETS: Final = table_of(SqlDataset)
INPUTS: Final = table_of(SqlInput)
INPUT_TAGS: Final = table_of(SqlInputTag)
MODELS: Final = table_of(SqlLoggedModel)
MODEL_PARAMS: Final = table_of(SqlLoggedModelParam)
MODEL_TAGS: Final = table_of(SqlLoggedModelTag)
MODEL_METRICS: Final = table_of(SqlLoggedModelMetric)

_STATUSES: Final = {status.to_int(): status.value for status in LoggedModelStatus}

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
    "status": case(_STATUSES, value=MODELS.c.status, else_=cast(MODELS.c.status, String(12))),
    "model_type": func.nullif(MODELS.c.model_type, ""),
    "created_at": MODELS.c.creation_timestamp_ms,
    "updated_at": MODELS.c.last_updated_timestamp_ms,
    "artifact_location": MODELS.c.artifact_location,
    "experiment_id": MODELS.c.experiment_id,
    "source_run_id": MODELS.c.source_run_id,
}
