"""MLflow's tables of experiments and runs, and their columns by the names of the port.

The tables have only the columns that this server reads. Their types are those of MLflow's models, because
SQLAlchemy binds a value with the type of its column; a test compares them with the installed MLflow.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    MetaData,
    String,
    Table,
    case,
    func,
    select,
)

from gql_server.stores.ids import model_id_from_source
from gql_server.stores.mlflow_names import NEW_RUN_STATUS, RUN_NAME_TAG
from schema.ports.run_id import is_run_id

METADATA: Final = MetaData()
"""The tables that this server reads, including those of models and of the model registry."""

RUN_ID: Final = String(32)
KEY: Final = String(250)

EXPERIMENTS: Final = Table(
    "experiments",
    METADATA,
    Column("experiment_id", Integer),
    Column("name", String(256)),
    Column("workspace", String(63)),
    Column("artifact_location", String(256)),
    Column("lifecycle_stage", String(32)),
    Column("creation_time", BigInteger),
    Column("last_update_time", BigInteger),
)
EXPERIMENT_TAGS: Final = Table(
    "experiment_tags",
    METADATA,
    Column("experiment_id", Integer),
    Column("key", KEY),
    Column("value", String(5000)),
)
RUNS: Final = Table(
    "runs",
    METADATA,
    Column("run_uuid", RUN_ID),
    Column("name", String(250)),
    Column("user_id", String(256)),
    Column("status", String(20)),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger),
    Column("lifecycle_stage", String(20)),
    Column("artifact_uri", String(200)),
    Column("experiment_id", Integer),
)
PARAMS: Final = Table(
    "params",
    METADATA,
    Column("run_uuid", RUN_ID),
    Column("key", KEY),
    Column("value", String(8000)),
)
TAGS: Final = Table(
    "tags",
    METADATA,
    Column("run_uuid", RUN_ID),
    Column("key", KEY),
    Column("value", String(8000)),
)
LATEST_METRICS: Final = Table(
    "latest_metrics",
    METADATA,
    Column("run_uuid", RUN_ID),
    Column("key", KEY),
    Column("value", Float(53)),
    Column("timestamp", BigInteger),
    Column("step", BigInteger),
    Column("is_nan", Boolean),
)
METRICS: Final = Table(
    "metrics",
    METADATA,
    Column("run_uuid", RUN_ID),
    Column("key", KEY),
    Column("value", Float(53)),
    Column("timestamp", BigInteger),
    Column("step", BigInteger),
    Column("is_nan", Boolean),
)


def timestamp_of(metrics: FromClause) -> ColumnElement[Any]:
    """Return the timestamp of last values: a null, which the column permits, is 0, as in the REST API."""
    return func.coalesce(metrics.c.timestamp, 0, type_=metrics.c.timestamp.type)


def _run_name() -> ColumnElement[Any]:
    """Return the name that MLflow shows: runs of MLflow before 1.30 have it only in a tag, or have none."""
    tagged = (
        select(_filled(TAGS.c.value))
        .where(TAGS.c.run_uuid == RUNS.c.run_uuid, TAGS.c.key == RUN_NAME_TAG)
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
    "status": func.coalesce(RUNS.c.status, NEW_RUN_STATUS, type_=RUNS.c.status.type),
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
