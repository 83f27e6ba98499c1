"""MLflow's entities of logged models and the model registry as the port's columns."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mlflow.entities import LoggedModel, Metric
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.entities.model_registry.model_version_stages import STAGE_NONE

from gql_server.stores.ids import model_id_from_source
from gql_server.stores.mlflow.entity_tables import (
    ColumnReaders,
    flattened,
    key_value_lists,
    read_columns,
    split_metric_value,
)
from schema.ports.run_id import is_run_id
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, Span, Table

_Key = TypeVar("_Key", bound=Hashable)

_LOGGED_MODEL_READERS: ColumnReaders = {
    "model_id": lambda model: model.model_id,
    "name": lambda model: model.name,
    "status": lambda model: str(model.status),
    "model_type": lambda model: model.model_type or None,
    "created_at": lambda model: model.creation_timestamp,
    "updated_at": lambda model: model.last_updated_timestamp or None,
    "artifact_location": lambda model: model.artifact_location or None,
    "experiment_id": lambda model: str(model.experiment_id),
    "source_run_id": lambda model: _run_id(model.source_run_id),
}
_REGISTERED_MODEL_READERS: ColumnReaders = {
    "name": lambda model: model.name,
    "description": lambda model: model.description or None,
    "created_at": lambda model: model.creation_timestamp or None,
    "updated_at": lambda model: model.last_updated_timestamp or None,
}
_VERSION_READERS: ColumnReaders = {
    "name": lambda version: version.name,
    "version": lambda version: str(version.version),
    "stage": lambda version: None if version.current_stage == STAGE_NONE else version.current_stage or None,
    "status": lambda version: version.status or None,
    "description": lambda version: version.description or None,
    "source": lambda version: version.source or None,
    "created_at": lambda version: version.creation_timestamp or None,
    "updated_at": lambda version: version.last_updated_timestamp or None,
    "source_run_id": lambda version: _run_id(version.run_id),
    "logged_model_id": lambda version: model_id_from_source(version.source),
}


def logged_model_table(models: Sequence[LoggedModel], columns: Collection[str], kind: StoreKind) -> Table:
    """Return the requested columns of logged models; these may include params, tags and metrics."""
    table = read_columns(models, columns, _LOGGED_MODEL_READERS)
    if "params" in columns:
        table["params"] = key_value_lists(model.params for model in models)
    if "tags" in columns:
        table["tags"] = key_value_lists(model.tags for model in models)
    if "metrics" in columns:
        table["metrics"] = logged_model_metrics_of(models, kind)
    return Table(len(models), table)


def logged_model_metrics_of(models: Iterable[LoggedModel | None], kind: StoreKind) -> Many:
    """Return the last value of each metric per run and dataset by key; an empty list for None."""
    rows, spans = flattened(models, _last_metrics)
    values = [split_metric_value(metric.value, kind) for metric in rows]
    columns = {
        "run_id": [metric.run_id for metric in rows],
        "key": [metric.key for metric in rows],
        "value": [value for value, _ in values],
        "non_finite": [name for _, name in values],
        "step": [metric.step for metric in rows],
        "timestamp": [metric.timestamp for metric in rows],
        "dataset_name": [metric.dataset_name or None for metric in rows],
        "dataset_digest": [metric.dataset_digest or None for metric in rows],
    }
    return Many(Table(len(rows), columns), spans)


def registered_model_table(models: Sequence[RegisteredModel], columns: Collection[str]) -> Table:
    """Return the requested columns of registered models; these may include tags and aliases."""
    table = read_columns(models, columns, _REGISTERED_MODEL_READERS)
    if "tags" in columns:
        table["tags"] = key_value_lists(map(registered_model_tags, models))
    if "aliases" in columns:
        table["aliases"] = aliases_of(models)
    return Table(len(models), table)


def aliases_of(models: Iterable[RegisteredModel | None]) -> Many:
    """Return each registered model's aliases by alias; an empty list for None."""
    rows, spans = flattened(models, lambda model: sorted(model.aliases.items()) if model else [])
    columns = {"alias": [alias for alias, _ in rows], "version": [str(version) for _, version in rows]}
    return Many(Table(len(rows), columns), spans)


def registered_model_tags(model: RegisteredModel | None) -> Mapping[str, str]:
    """Return all tags of a model, none for None. MLflow's entity hides the tag of prompts."""
    tags: Mapping[str, str] = {} if model is None else model._tags  # noqa: SLF001
    return tags


def version_table(versions: Sequence[ModelVersion], columns: Collection[str]) -> Table:
    """Return the requested columns of model versions; these may include tags."""
    table = read_columns(versions, columns, _VERSION_READERS)
    if "tags" in columns:
        table["tags"] = key_value_lists(version.tags for version in versions)
    return Table(len(versions), table)


def entity_lists(
    parents: Iterable[_Key], entities: Mapping[_Key, Sequence[Any]]
) -> tuple[list[Any], list[Span]]:
    """Return the entities of all parents in one list, and the span of each parent."""
    return flattened(parents, lambda parent: entities.get(parent, ()))


def _last_metrics(model: LoggedModel | None) -> list[Metric]:
    last: dict[tuple[str, ...], Metric] = {}
    for metric in (model.metrics if model else None) or ():
        names = (metric.key, metric.run_id, metric.dataset_name, metric.dataset_digest)
        key = tuple(name or "" for name in names)
        if key not in last or (last[key].step, last[key].timestamp) < (metric.step, metric.timestamp):
            last[key] = metric
    return [last[key] for key in sorted(last)]


def _run_id(text: str | None) -> str | None:
    return text if text and is_run_id(text) else None
