"""Validation and division of batches."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from gql_server.stores.writes.batches import (
    BatchEntities,
    BatchLimits,
    batch_entities,
    batch_limits,
    split_batch,
)
from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, Point

SIZES = st.integers(0, 30)


def batch_of(params: int, metrics: int, tags: int) -> BatchEntities:
    """Return a batch with this number of each kind."""
    return BatchEntities(
        [Param(str(number), "") for number in range(params)],
        [Metric(str(number), 0, 0, 0) for number in range(metrics)],
        [RunTag(str(number), "") for number in range(tags)],
    )


@given(SIZES, SIZES, SIZES, st.builds(BatchLimits, *[st.integers(1, 9)] * 3, st.integers(1, 12)))
def test_parts_are_the_batch_in_order(params: int, metrics: int, tags: int, limits: BatchLimits) -> None:
    """The parts contain the whole batch, params before metrics before tags, each within the limits."""
    batch = batch_of(params, metrics, tags)
    flat: list[Any] = []
    for part in split_batch(batch, limits):
        assert all(size <= limit for size, limit in zip(part.sizes, limits, strict=False))
        assert any(batch) == any(part)
        assert sum(part.sizes) <= limits.total
        flat.extend([*part.params, *part.metrics, *part.tags])
    assert flat == [*batch.params, *batch.metrics, *batch.tags]


def test_parts_are_as_few_as_possible() -> None:
    """A batch within the limits is one part, and so is an empty one."""
    assert list(split_batch(batch_of(0, 0, 0), batch_limits(StoreKind.SQL))) == [batch_of(0, 0, 0)]
    assert len(list(split_batch(batch_of(100, 800, 100), batch_limits(StoreKind.SQL)))) == 1
    assert len(list(split_batch(batch_of(0, 1000, 0), batch_limits(StoreKind.MLFLOW_SERVER)))) == 1
    assert len(list(split_batch(batch_of(0, 1000, 0), batch_limits(StoreKind.AZURE_ML)))) == 4


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (Batch(params=[KeyValue("", "1")]), "params[0].key"),
        (Batch(params=[KeyValue("a", "1"), KeyValue("b\n", "1")]), "params[1].key"),
        (Batch(params=[KeyValue("../a", "1")]), "params[0].key"),
        (
            Batch(params=[KeyValue("a", "1"), KeyValue("a", "1")]),
            "Duplicate parameter keys have been submitted: ['a']",
        ),
        (Batch(params=[KeyValue("a" * 251, "1")]), "Param key' exceeds the maximum length of 250"),
        (Batch(params=[KeyValue("a", "1" * 6001)]), "Param value' exceeds the maximum length of 6000"),
        (Batch(params=[KeyValue("a", "\0")]), "NUL"),
        (Batch(tags=[KeyValue("t\0", "1")]), "tags[0].key"),
        (Batch(tags=[KeyValue("t", "1" * 8001)]), "tags[0].value' exceeds the maximum length of 8000"),
        (Batch(tags=[KeyValue("t", "a\0b")]), "NUL"),
        (Batch(metrics=[Point("a%", 1, 0, 0)]), "metrics[0].name"),
        (Batch(metrics=[Point("a", 1, 0, 0), Point("a", 1, -1, 0)]), "metrics[1].timestamp"),
        (Batch(metrics=[Point("m" * 251, 1, 0, 0)]), "exceeds the maximum length of 250"),
    ],
)
def test_invalid_batch_is_refused_with_its_path(batch: Batch, message: str) -> None:
    """A batch that MLflow would refuse or truncate is refused, with the path of the invalid value."""
    with pytest.raises((MlflowException, BadUserInput)) as caught:
        batch_entities(batch)
    assert message in str(caught.value)


def test_valid_values_are_accepted() -> None:
    """Text of any language, line breaks, values of maximum length and all floats are accepted."""
    batch = Batch(
        metrics=[Point("ü/m", math.nan, 0, -(2**63)), Point("m", -math.inf, 2**53, 2**63 - 1)],
        params=[KeyValue("a b:c.d-e", "x" * 6000), KeyValue("emoji", "🙂\n\t")],
        tags=[KeyValue("mlflow.note.content", "y" * 8000)],
    )
    assert batch_entities(batch).sizes == (2, 2, 1)
