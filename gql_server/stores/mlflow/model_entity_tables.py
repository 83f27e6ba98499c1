"""MLflow's entities of logged models and the registry as the columns of the port."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mlflow.entities import LoggedModel, Metric
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.entities.model_registry.model_version_stages import STAGE_NONE

from gql_server.stores.ids import model_id_of
from gql_server.stores.mlflow.entity_tables import Readers, finite, leaves, many, pairs
from schema.ports.run_id import is_run_id
from schema.ports.store_kind import StoreKind
from schema.ports.table import Many, Span, Table

_K = TypeVar("_K", bound=Hashable)

_MODEL: Readers = {
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
_REGISTERED: Readers = {
    "name": lambda model: model.name,
    "description": lambda model: model.description or None,
    "created_at": lambda model: model.creation_timestamp or None,
    "updated_at": lambda model: model.last_updated_timestamp or None,
}
_VERSION: Readers = {
    "name": lambda version: version.name,
    "version": lambda version: str(version.version),
    "stage": lambda version: None if version.current_stage == STAGE_NONE else version.current_stage or None,
    "status": lambda version: version.status or None,
    "description": lambda version: version.description or None,
    "source": lambda version: version.source or None,
    "created_at": lambda version: version.creation_timestamp or None,
    "updated_at": lambda version: version.last_updated_timestamp or None,
    "source_run_id": lambda version: _run_id(version.run_id),
    "logged_model_id": lambda version: model_id_of(version.source),
}


def model_table(models: Sequence[LoggedModel], columns: Collection[str], kind: StoreKind) -> Table:
    """Return the logged models with the columns asked for, and what was logged to them if among them."""
    table = leaves(models, columns, _MODEL)
    if "params" in columns:
        table["params"] = pairs(model.params for model in models)
    if "tags" in columns:
        table["tags"] = pairs(model.tags for model in models)
    if "metrics" in columns:
        table["metrics"] = model_metrics_of(models, kind)
    return Table(len(models), table)


def model_metrics_of(models: Iterable[LoggedModel | None], kind: StoreKind) -> Many:
    """Return the last value of each metric of each model for each run and dataset, by key; of None, none."""
    rows, spans = many(models, _last_metrics)
    values = [finite(metric.value, kind) for metric in rows]
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


def registered_table(models: Sequence[RegisteredModel], columns: Collection[str]) -> Table:
    """Return the registered models with the columns asked for, their tags and aliases if among them."""
    table = leaves(models, columns, _REGISTERED)
    if "tags" in columns:
        table["tags"] = pairs(model.tags for model in models)
    if "aliases" in columns:
        table["aliases"] = aliases_of(models)
    return Table(len(models), table)


def aliases_of(models: Iterable[RegisteredModel | None]) -> Many:
    """Return the aliases of each registered model, by alias; of None, none."""
    rows, spans = many(models, lambda model: sorted(model.aliases.items()) if model else [])
    columns = {"alias": [alias for alias, _ in rows], "version": [str(version) for _, version in rows]}
    return Many(Table(len(rows), columns), spans)


def version_table(versions: Sequence[ModelVersion], columns: Collection[str]) -> Table:
    """Return the versions with the columns asked for, their tags if these are among them."""
    table = leaves(versions, columns, _VERSION)
    if "tags" in columns:
        table["tags"] = pairs(version.tags for version in versions)
    return Table(len(versions), table)


def lists_of(asked: Iterable[_K], found: Mapping[_K, Sequence[Any]]) -> tuple[list[Any], list[Span]]:
    """Return the entities of each parent in one list, and which of them are whose."""
    return many(asked, lambda own: found.get(own, ()))


def _last_metrics(model: LoggedModel | None) -> list[Metric]:
    last: dict[tuple[str, ...], Metric] = {}
    for metric in (model.metrics if model else None) or ():
        names = (metric.key, metric.run_id, metric.dataset_name, metric.dataset_digest)
        own = tuple(name or "" for name in names)
        if own not in last or (last[own].step, last[own].timestamp) < (metric.step, metric.timestamp):
            last[own] = metric
    return [last[own] for own in sorted(last)]


def _run_id(text: str | None) -> str | None:
    return text if text and is_run_id(text) else None
