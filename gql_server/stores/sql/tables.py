"""MLflow's own tables, and their columns by the names of the port."""

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from mlflow.store.tracking.dbmodels.models import (
    SqlExperiment,
    SqlExperimentTag,
    SqlLatestMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from sqlalchemy import ColumnElement, Table, case, func, select

from gql_server.stores.ids import model_id_from_source
from schema.ports.run_id import is_run_id


def table_of(model: Any) -> Table:
    """Return the table of one of MLflow's classes."""
    return cast("Table", model.__table__)


EXPERIMENTS: Final = table_of(SqlExperiment)
EXPERIMENT_TAGS: Final = table_of(SqlExperimentTag)
RUNS: Final = table_of(SqlRun)
PARAMS: Final = table_of(SqlParam)
TAGS: Final = table_of(SqlTag)
LATEST_METRICS: Final = table_of(SqlLatestMetric)
METRICS: Final = table_of(SqlMetric)


def _run_name() -> ColumnElement[Any]:
    """Return the name that MLflow shows: runs of MLflow before 1.30 have it in a tag alone, or have none."""
    tagged = (
        select(_filled(TAGS.c.value))
        .where(TAGS.c.run_uuid == RUNS.c.run_uuid, TAGS.c.key == MLFLOW_RUN_NAME)
        .scalar_subquery()
    )
    return func.coalesce(_filled(RUNS.c.name), tagged)


def _filled(text: ColumnElement[Any]) -> ColumnElement[Any]:
    # Not `!= ''`: with a collation that pads, blanks equal the empty text.
    return case((text.like("_%"), text))


def _null_if(column: ColumnElement[Any], placeholder: Any) -> ColumnElement[Any]:
    """Return a column with null in place of the value that represents a missing one."""
    return func.nullif(column, placeholder, type_=column.type)


EXPERIMENT_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "experiment_id": EXPERIMENTS.c.experiment_id,
    "name": EXPERIMENTS.c.name,
    "artifact_location": EXPERIMENTS.c.artifact_location,
    "lifecycle_stage": EXPERIMENTS.c.lifecycle_stage,
    "created_at": EXPERIMENTS.c.creation_time,
    "updated_at": EXPERIMENTS.c.last_update_time,
}
RUN_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {
    "run_id": RUNS.c.run_uuid,
    "name": _run_name(),
    "status": RUNS.c.status,
    "lifecycle_stage": RUNS.c.lifecycle_stage,
    # In the REST API, an empty text and 0 represent a missing value.
    "user_id": _null_if(RUNS.c.user_id, ""),
    "started_at": _null_if(RUNS.c.start_time, 0),
    "ended_at": _null_if(RUNS.c.end_time, 0),
    "artifact_uri": RUNS.c.artifact_uri,
    "experiment_id": RUNS.c.experiment_id,
}


RUN_DURATION: Final[ColumnElement[Any]] = RUN_COLUMNS["ended_at"] - RUN_COLUMNS["started_at"]
"""The duration of a run in milliseconds; null if its start or its end is missing."""


def _texts(values: Sequence[Any]) -> list[str]:
    return list(map(str, values))


def _stages(values: Sequence[Any]) -> list[str | None]:
    return [value and value.upper() for value in values]


def _run_ids(values: Sequence[Any]) -> list[str | None]:
    return [value if value and is_run_id(value) else None for value in values]


def _model_ids(values: Sequence[Any]) -> list[str | None]:
    return list(map(model_id_from_source, values))


_CONVERTERS: Final[dict[str, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "experiment_id": _texts,
    "lifecycle_stage": _stages,
    "version": _texts,
    "source_run_id": _run_ids,
    "logged_model_id": _model_ids,
}


def converted(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column in the form of the port: ids as text, stages in capitals, None for an invalid id."""
    convert = _CONVERTERS.get(name)
    return values if convert is None else convert(values)
