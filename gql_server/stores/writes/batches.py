"""Batches: what is logged at once, checked as MLflow would, and cut into calls that a store takes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlflow.entities import Metric, Param, RunTag
from mlflow.utils import validation

from gql_server.stores.text_validation import check_key, check_text
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, Point


class BatchLimits(NamedTuple):
    """How much of each kind one call may have, and of all together."""

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
    """A batch, or a part of one, as MLflow's entities in the order in which they are stored."""

    params: Sequence[Param]
    metrics: Sequence[Metric]
    tags: Sequence[RunTag]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Return how many there are of each."""
        return len(self.params), len(self.metrics), len(self.tags)


def limits_of(kind: StoreKind) -> BatchLimits:
    """Return what a store of this kind takes in one call."""
    return _LIMITS.get(kind, _MLFLOW)


def entities(batch: Batch) -> BatchEntities:
    """Return the batch as MLflow's entities.

    Raises `BadUserInput`, or MLflow's exception with its own message, for what MLflow does not take, and for
    text longer than MLflow keeps, which its client would cut.
    """
    repeated = [key for key, count in Counter(param.key for param in batch.params).items() if count > 1]
    if repeated:
        # MLflow's own check compares each key with all before it.
        validation._validate_param_keys_unique([Param(key, "") for key in repeated for _ in "ab"])  # noqa: SLF001
    return BatchEntities(
        [_param(param, f"params[{place}]") for place, param in enumerate(batch.params)],
        [_metric(point, f"metrics[{place}]") for place, point in enumerate(batch.metrics)],
        [_tag(tag, f"tags[{place}]") for place, tag in enumerate(batch.tags)],
    )


def pieces(whole: BatchEntities, limits: BatchLimits) -> Iterator[BatchEntities]:
    """Cut a batch into calls, in the order params, metrics, tags.

    Params are first because they alone can be refused for what is stored already: a refusal then comes before
    any metric is stored. Whatever call fails, what is stored is the batch up to some place.
    """
    left = whole
    while any(left):
        piece = _first(left, limits)
        yield piece
        left = BatchEntities(*(things[len(some) :] for things, some in zip(left, piece, strict=True)))  # type: ignore[arg-type]


def _first(left: BatchEntities, limits: BatchLimits) -> BatchEntities:
    room, taken = limits.total, []
    for things, most in zip(left, limits[:3], strict=True):
        some = things[: min(most, room)]
        taken.append(some)
        # While there is more of one kind, nothing of the next is sent.
        room = room - len(some) if len(some) == len(things) else 0
    return BatchEntities(*taken)  # type: ignore[arg-type]


def _param(param: KeyValue, place: str) -> Param:
    check_key(param.key, f"{place}.key")
    check_text(f"{place}.value", param.value)
    _check_length("Param key", validation.MAX_ENTITY_KEY_LENGTH, param.key)
    _check_length("Param value", validation.MAX_PARAM_VAL_LENGTH, param.value)
    return Param(param.key, param.value)


def _metric(point: Point, place: str) -> Metric:
    check_key(point.key, f"{place}.name")
    validation._validate_metric(point.key, point.value, point.timestamp, point.step, place)  # noqa: SLF001
    return Metric(point.key, point.value, point.timestamp, point.step)


def _tag(tag: KeyValue, place: str) -> RunTag:
    check_key(tag.key, f"{place}.key")
    check_text(f"{place}.value", tag.value)
    _check_length(f"{place}.key", validation.MAX_ENTITY_KEY_LENGTH, tag.key)
    _check_length(f"{place}.value", validation.MAX_TAG_VAL_LENGTH, tag.value)
    return RunTag(tag.key, tag.value)


def _check_length(what: str, limit: int, text: str) -> None:
    validation._validate_length_limit(what, limit, text)  # noqa: SLF001
