"""MLflow's own tables, and what the port calls their columns."""

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


def _table(model: Any) -> Table:
    return cast("Table", model.__table__)


EXPERIMENTS: Final = _table(SqlExperiment)
EXPERIMENT_TAGS: Final = _table(SqlExperimentTag)
RUNS: Final = _table(SqlRun)
PARAMS: Final = _table(SqlParam)
TAGS: Final = _table(SqlTag)
LATEST_METRICS: Final = _table(SqlLatestMetric)
METRICS: Final = _table(SqlMetric)


def _run_name() -> ColumnElement[Any]:
    """Return the name that MLflow shows: runs of MLflow before 1.30 have it in a tag alone."""
    tagged = (
        select(func.nullif(TAGS.c.value, ""))
        .where(TAGS.c.run_uuid == RUNS.c.run_uuid, TAGS.c.key == MLFLOW_RUN_NAME)
        .scalar_subquery()
    )
    return case((RUNS.c.name != "", RUNS.c.name), else_=func.coalesce(tagged, RUNS.c.name))


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
    "user_id": RUNS.c.user_id,
    "started_at": RUNS.c.start_time,
    "ended_at": RUNS.c.end_time,
    "artifact_uri": RUNS.c.artifact_uri,
    "experiment_id": RUNS.c.experiment_id,
}


def _texts(values: Sequence[Any]) -> list[str]:
    return list(map(str, values))


def _stages(values: Sequence[Any]) -> list[str | None]:
    return [value and value.upper() for value in values]


_SHOWN: Final[dict[str, Callable[[Sequence[Any]], Sequence[Any]]]] = {
    "experiment_id": _texts,
    "lifecycle_stage": _stages,
}


def shown(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column of experiments or runs as the port has it: ids as text, stages in capitals."""
    show = _SHOWN.get(name)
    return values if show is None else show(values)
