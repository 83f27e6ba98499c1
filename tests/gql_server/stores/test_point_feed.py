"""Streams of points over every store: each point once, those that arrive late included."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final, TypeAlias

import pytest
from mlflow.entities import Metric

from gql_server.config.settings import Settings
from gql_server.live.metric_points.metric_point_streams import MetricPointStreams
from gql_server.live.metric_points.point_follower import PointBatch
from gql_server.stores.factory import OpenableTracking, store_from
from schema.ports.errors import NotFound
from schema.ports.point_batch import PointSelection
from schema.ports.tracking import Sample
from tests.gql_server.live.metric_points.stream_limits import LIMITS
from tests.support.stores.store import Store

Received: TypeAlias = Counter[tuple[str, int, int, str]]

_SECONDS: Final = 60.0
"""More than any event takes: a test fails after it."""
_FIRST: Final = [
    Metric("loss", 1.0, 1_000, 0),
    Metric("loss", math.nan, 2_000, 1),
    Metric("loss", math.inf, 3_000, 2),
    Metric("other", -math.inf, 3_000, 2),
]
_THEN: Final = [
    Metric("loss", 0.5, 4_000, 3),
    Metric("loss", 0.5, 500, -7),  # late, with an old step and an old time
    Metric("loss", 1.0, 1_000, 0),  # equal to one that is there
    Metric("accuracy", 0.9, 4_000, 3),
]


@pytest.fixture
async def tracking(store: Store) -> AsyncIterator[OpenableTracking]:
    """Give the port as the server opens it."""
    port = store_from(Settings(tracking_uri=store.uri))
    yield port
    await port.close()


def _log(store: Store, run_id: str, metrics: list[Metric]) -> None:
    for metric in metrics:
        store.client.log_batch(run_id, [metric])


def _points(metrics: list[Metric]) -> set[tuple[str, int, int, str]]:
    return {(metric.key, metric.step, metric.timestamp, str(float(metric.value))) for metric in metrics}


async def _receive(events: AsyncGenerator[PointBatch | Exception], received: Received) -> PointBatch:
    async with asyncio.timeout(_SECONDS):
        batch = await anext(events)
    assert isinstance(batch, PointBatch)
    for (_, key), points in batch.event.points:
        for point in points:
            received[key, int(point["step"]), int(point["timestamp"]), str(float(point["value"]))] += 1
    return batch


async def _receive_all(streams: MetricPointStreams, selection: PointSelection, received: Received) -> None:
    async with aclosing(streams.batches(selection)) as events:
        while not (await _receive(events, received)).event.is_complete:
            pass


async def test_points_are_sent_once(store: Store, tracking: OpenableTracking) -> None:
    """What is there comes first, then what is logged, and the stream is complete when the run has ended."""
    run_id = store.client.create_run("0").info.run_id
    _log(store, run_id, _FIRST)
    streams, received = MetricPointStreams(tracking, LIMITS), Received()
    selection = PointSelection([run_id])
    async with aclosing(streams.batches(selection)) as events:
        first = await _receive(events, received)
        assert received == Counter(_points(_FIRST))
        _log(store, run_id, _THEN)
        store.client.set_terminated(run_id)
        streams.wake()
        while not (await _receive(events, received)).event.is_complete:
            pass
        assert received == Counter(_points(_FIRST + _THEN))
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    resumed = Received(_points(_FIRST))
    await _receive_all(streams, replace(selection, after=first.cursor), resumed)
    assert resumed == Counter(_points(_FIRST + _THEN))
    assert (streams.logs, streams.subscribers) == (0, 0)


async def test_keys_are_exact(store: Store, tracking: OpenableTracking) -> None:
    """A stream of keys has the points of these exact keys only."""
    run_id = store.client.create_run("0").info.run_id
    _log(store, run_id, _FIRST + _THEN)
    store.client.set_terminated(run_id)
    received = Received()
    selection = PointSelection([run_id], ["loss", "none"])
    await _receive_all(MetricPointStreams(tracking, LIMITS), selection, received)
    assert received == Counter(_points([metric for metric in _FIRST + _THEN if metric.key == "loss"]))


async def test_sample_comes_first(store: Store, tracking: OpenableTracking) -> None:
    """The points that are there are sampled, and none of those that follow is."""
    run_id = store.client.create_run("0").info.run_id
    history = [Metric("loss", float(step % 7), 1_000 + step, step) for step in range(300)]
    store.client.log_batch(run_id, history)
    streams, received = MetricPointStreams(tracking, LIMITS), Received()
    selection = PointSelection([run_id], sample=Sample(10, "lttb"))
    async with aclosing(streams.batches(selection)) as events:
        cursor = (await _receive(events, received)).cursor
        assert len(received) == 10
        new = [Metric("loss", 0.0, 5_000 + step, 300 + step) for step in range(40)]
        store.client.log_batch(run_id, new)
        store.client.set_terminated(run_id)
        streams.wake()
        while not (await _receive(events, received)).event.is_complete:
            pass
    assert len(received) == 50
    resumed = Received()
    await _receive_all(streams, replace(selection, after=cursor), resumed)
    assert resumed == Counter(_points(new))


async def test_unknown_run_is_not_found(store: Store, tracking: OpenableTracking) -> None:
    """One unknown run among those that exist ends the stream with an error."""
    run_id = store.client.create_run("0").info.run_id
    events: Any = MetricPointStreams(tracking, LIMITS).batches(PointSelection([run_id, "0" * 32]))
    with pytest.raises(NotFound, match="000"):
        await anext(events)
