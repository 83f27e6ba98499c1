"""Batches: what is refused before a store is asked, and how they are cut."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from gql_server.stores.writes.batches import BatchEntities, BatchLimits, entities, limits_of, pieces
from schema.ports.errors import BadUserInput
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, Point

SIZES = st.integers(0, 30)


def whole(params: int, metrics: int, tags: int) -> BatchEntities:
    """Return a batch of so many of each."""
    return BatchEntities(
        [Param(str(number), "") for number in range(params)],
        [Metric(str(number), 0, 0, 0) for number in range(metrics)],
        [RunTag(str(number), "") for number in range(tags)],
    )


@given(SIZES, SIZES, SIZES, st.builds(BatchLimits, *[st.integers(1, 9)] * 3, st.integers(1, 12)))
def test_pieces_are_the_batch_in_order(params: int, metrics: int, tags: int, limits: BatchLimits) -> None:
    """The pieces of a batch are all of it, params before metrics before tags, each within the limits."""
    batch = whole(params, metrics, tags)
    flat: list[Any] = []
    for piece in pieces(batch, limits):
        assert all(size <= most for size, most in zip(piece.sizes, limits, strict=False))
        assert 0 < sum(piece.sizes) <= limits.total
        flat.extend([*piece.params, *piece.metrics, *piece.tags])
    assert flat == [*batch.params, *batch.metrics, *batch.tags]


def test_pieces_are_as_few_as_may_be() -> None:
    """What a store takes at once is sent at once."""
    assert list(pieces(whole(0, 0, 0), limits_of(StoreKind.SQL))) == []
    assert len(list(pieces(whole(100, 800, 100), limits_of(StoreKind.SQL)))) == 1
    assert len(list(pieces(whole(0, 1000, 0), limits_of(StoreKind.MLFLOW_SERVER)))) == 1
    assert len(list(pieces(whole(0, 1000, 0), limits_of(StoreKind.AZURE_ML)))) == 4


@pytest.mark.parametrize(
    ("batch", "said"),
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
def test_what_no_store_takes(batch: Batch, said: str) -> None:
    """What MLflow refuses is refused in its words, with its place, and what it would spoil too."""
    with pytest.raises((MlflowException, BadUserInput)) as caught:
        entities(batch)
    assert said in str(caught.value)


def test_what_stores_take() -> None:
    """Text of any language, lines and the longest values pass, and so does every float."""
    batch = Batch(
        metrics=[Point("ü/m", math.nan, 0, -(2**63)), Point("m", -math.inf, 2**53, 2**63 - 1)],
        params=[KeyValue("a b:c.d-e", "x" * 6000), KeyValue("emoji", "🙂\n\t")],
        tags=[KeyValue("mlflow.note.content", "y" * 8000)],
    )
    assert entities(batch).sizes == (2, 2, 1)
