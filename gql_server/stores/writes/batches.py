"""Batches of params, metrics and tags: validation as in MLflow, and division into calls."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlflow.entities import Metric, Param, RunTag
from mlflow.utils import validation

from gql_server.stores.text_validation import check_text
from gql_server.stores.writes.keys import check_key
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, Point


class BatchLimits(NamedTuple):
    """The maximum number of entities per call, of each kind and in total."""

    params: int
    metrics: int
    tags: int
    total: int


_MLFLOW = BatchLimits(
    params=validation.MAX_PARAMS_TAGS_PER_BATCH,
    metrics=validation.MAX_METRICS_PER_BATCH,
    tags=validation.MAX_PARAMS_TAGS_PER_BATCH,
    total=validation.MAX_ENTITIES_PER_BATCH,
)
# https://learn.microsoft.com/azure/machine-learning/resource-limits-capacity: 250 metric rows a batch
_LIMITS = {StoreKind.AZURE_ML: _MLFLOW._replace(metrics=250)}


class BatchEntities(NamedTuple):
    """A batch or a part of one as MLflow's entities, in the order in which they are stored."""

    params: Sequence[Param]
    metrics: Sequence[Metric]
    tags: Sequence[RunTag]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Return the number of params, metrics and tags."""
        return len(self.params), len(self.metrics), len(self.tags)


def batch_limits(kind: StoreKind) -> BatchLimits:
    """Return the limits of one call to a store of this kind."""
    return _LIMITS.get(kind, _MLFLOW)


def batch_entities(batch: Batch) -> BatchEntities:
    """Return a validated batch as MLflow's entities.

    Raises `BadUserInput` or MLflow's exception for what MLflow refuses, and for text that exceeds MLflow's
    maximum length, which its client would truncate.
    """
    repeated = [key for key, count in Counter(param.key for param in batch.params).items() if count > 1]
    if repeated:
        # Only the repeated keys: MLflow's check compares each key with all keys before it.
        validation._validate_param_keys_unique([Param(key, "") for key in repeated for _ in "ab"])  # noqa: SLF001
    return BatchEntities(
        [_param(param, f"params[{index}]") for index, param in enumerate(batch.params)],
        [_metric(point, f"metrics[{index}]") for index, point in enumerate(batch.metrics)],
        [_tag(tag, f"tags[{index}]") for index, tag in enumerate(batch.tags)],
    )


def split_batch(batch: BatchEntities, limits: BatchLimits) -> Iterator[BatchEntities]:
    """Yield the parts of a batch for one call each, in the order params, metrics, tags.

    Params are first because only they can be refused for what is already stored; the refusal then precedes
    all metrics. Whichever call fails, the stored entities are the first ones of the batch. An empty batch has
    one empty part, with which the store checks the run.
    """
    rest = batch
    while True:
        part = _first_part(rest, limits)
        yield part
        rest = BatchEntities(*(entities[len(taken) :] for entities, taken in zip(rest, part, strict=True)))  # type: ignore[arg-type]
        if not any(rest):
            return


def _first_part(batch: BatchEntities, limits: BatchLimits) -> BatchEntities:
    remaining, part = limits.total, []
    for entities, limit in zip(batch, limits[:3], strict=True):
        taken = entities[: min(limit, remaining)]
        part.append(taken)
        # No entity of the next kind is sent before all of this kind.
        remaining = remaining - len(taken) if len(taken) == len(entities) else 0
    return BatchEntities(*part)  # type: ignore[arg-type]


def _param(param: KeyValue, path: str) -> Param:
    check_key(param.key, f"{path}.key")
    check_text(f"{path}.value", param.value)
    _check_length("Param key", validation.MAX_ENTITY_KEY_LENGTH, param.key)
    _check_length("Param value", validation.MAX_PARAM_VAL_LENGTH, param.value)
    return Param(param.key, param.value)


def _metric(point: Point, path: str) -> Metric:
    check_key(point.key, f"{path}.name")
    validation._validate_metric(point.key, point.value, point.timestamp, point.step, path)  # noqa: SLF001
    return Metric(point.key, point.value, point.timestamp, point.step)


def _tag(tag: KeyValue, path: str) -> RunTag:
    check_key(tag.key, f"{path}.key")
    check_text(f"{path}.value", tag.value)
    _check_length(f"{path}.key", validation.MAX_ENTITY_KEY_LENGTH, tag.key)
    _check_length(f"{path}.value", validation.MAX_TAG_VAL_LENGTH, tag.value)
    return RunTag(tag.key, tag.value)


def _check_length(name: str, limit: int, text: str) -> None:
    validation._validate_length_limit(name, limit, text)  # noqa: SLF001
