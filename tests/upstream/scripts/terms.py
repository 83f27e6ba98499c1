"""MLflow's entities in the graph's terms: its names, times as text, and the names of non-finite values."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Record = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTEXT = "mlflow.data.context"
_STORED_INFINITY = 1.7976931348623157e308
"""What MLflow's SQL stores keep in place of an infinity."""


def time_text(milliseconds: int | None) -> str | None:
    """Return a time as the scalar DateTime does."""
    if milliseconds is None:
        return None
    time = _EPOCH + timedelta(milliseconds=milliseconds)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pairs(values: Mapping[str, str]) -> list[Record]:
    """Return params or tags, sorted by key."""
    return [{"key": key, "value": values[key]} for key in sorted(values)]


def point(metric: Any) -> Record:
    """Return a point of a metric."""
    value, name = metric.value, None
    if math.isnan(value):
        name = "NAN"
    elif abs(value) >= _STORED_INFINITY:
        name = "POSITIVE_INFINITY" if value > 0 else "NEGATIVE_INFINITY"
    return {
        "step": metric.step,
        "timestamp": time_text(metric.timestamp),
        "value": None if name else value,
        "nonFinite": name,
    }


def metric(key: str, history: Iterable[Any]) -> Record:
    """Return a metric with its history, sorted by step, timestamp and value; its last point is its value."""
    points = [
        point(each) for each in sorted(history, key=lambda each: (each.step, each.timestamp, each.value))
    ]
    return {"key": key, **points[-1], "history": points}


def experiment(entity: Any) -> Record:
    """Return an experiment with its tags."""
    return {
        "experimentId": entity.experiment_id,
        "name": entity.name,
        "artifactLocation": entity.artifact_location,
        "lifecycleStage": entity.lifecycle_stage.upper(),
        "createdAt": time_text(entity.creation_time),
        "updatedAt": time_text(entity.last_update_time),
        "tags": pairs(entity.tags),
    }


def run(entity: Any, metrics: list[Record]) -> Record:
    """Return a run with all that was logged to it."""
    info, data = entity.info, entity.data
    inputs = getattr(entity, "inputs", None)
    datasets = [dataset(each) for each in inputs.dataset_inputs] if inputs else []
    return {
        "runId": info.run_id,
        "name": info.run_name,
        "status": info.status,
        "lifecycleStage": info.lifecycle_stage.upper(),
        "userId": info.user_id,
        "startedAt": time_text(info.start_time),
        "endedAt": time_text(info.end_time),
        "durationSeconds": (info.end_time - info.start_time) / 1000 if info.end_time else None,
        "artifactUri": info.artifact_uri,
        "experimentId": info.experiment_id,
        "params": pairs(data.params),
        "tags": pairs(data.tags),
        "metrics": metrics,
        "datasets": sorted(datasets, key=lambda each: (each["name"], each["digest"])),
    }


def dataset(entity: Any) -> Record:
    """Return a dataset as the input of a run."""
    described = entity.dataset
    return {
        "name": described.name,
        "digest": described.digest,
        "sourceType": described.source_type,
        "source": described.source,
        "schema": described.schema,
        "profile": described.profile,
        "context": {tag.key: tag.value for tag in entity.tags}.get(_CONTEXT),
    }


def registered_model(entity: Any, versions: list[Any]) -> Record:
    """Return a registered model with its versions, the latest first."""
    aliases = sorted((getattr(entity, "aliases", None) or {}).items())
    latest_first = sorted(versions, key=lambda each: -int(each.version))
    return {
        "name": entity.name,
        "description": entity.description or None,
        "createdAt": time_text(entity.creation_timestamp),
        "updatedAt": time_text(entity.last_updated_timestamp),
        "tags": pairs(entity.tags),
        "aliases": [{"alias": alias, "version": str(version)} for alias, version in aliases],
        "versions": [model_version(each, dict(aliases)) for each in latest_first],
    }


def model_version(entity: Any, aliases: Mapping[str, Any]) -> Record:
    """Return a version of a registered model; `aliases` are those of the model."""
    stage, source = entity.current_stage, entity.source or ""
    return {
        "name": entity.name,
        "version": str(entity.version),
        "stage": None if stage == "None" else stage,
        "status": entity.status,
        "description": entity.description or None,
        "source": entity.source,
        "createdAt": time_text(entity.creation_timestamp),
        "updatedAt": time_text(entity.last_updated_timestamp),
        "aliases": sorted(alias for alias, version in aliases.items() if str(version) == str(entity.version)),
        "tags": pairs(entity.tags),
        "runId": entity.run_id or None,
        # The SQL stores keep no other link to the logged model.
        "modelId": source.removeprefix("models:/") if source.startswith("models:/m-") else None,
    }


def logged_model(entity: Any) -> Record:
    """Return a logged model. A metric has one value for each run and dataset: the last."""
    last: dict[Any, Any] = {}
    for each in sorted(entity.metrics or [], key=lambda each: (each.step, each.timestamp, each.value)):
        last[each.key, each.run_id, each.dataset_name, each.dataset_digest] = each
    metrics = [
        {"key": each.key, "datasetName": each.dataset_name, "datasetDigest": each.dataset_digest}
        | point(each)
        for each in last.values()
    ]
    return {
        "modelId": entity.model_id,
        "name": entity.name,
        "status": str(getattr(entity.status, "value", entity.status)),
        "modelType": entity.model_type or None,
        "createdAt": time_text(entity.creation_timestamp),
        "updatedAt": time_text(entity.last_updated_timestamp),
        "artifactLocation": entity.artifact_location,
        "experimentId": entity.experiment_id,
        "params": pairs(entity.params),
        "tags": pairs(entity.tags),
        "metrics": sorted(metrics, key=lambda each: (each["key"], each["value"])),
        "sourceRunId": entity.source_run_id or None,
    }
