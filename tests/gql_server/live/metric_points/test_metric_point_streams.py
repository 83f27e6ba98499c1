"""Streams of points: who shares the reading of the store, and what each subscriber gets."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gql_server.live.metric_points.metric_point_streams import MetricPointStreams
from gql_server.live.metric_points.point_follower import PointBatch
from schema.ports.errors import BadUserInput, LimitExceeded, NotFound, StoreUnavailable
from schema.ports.point_batch import PointSelection
from schema.ports.tracking import Sample
from tests.gql_server.live.metric_points.memory_feed import MemoryFeed
from tests.gql_server.live.metric_points.stream_limits import LIMITS

_SECONDS = 30.0
_LOSS = ("a", "loss")
_A = PointSelection(["a"])


def _feed(points: int = 3) -> MemoryFeed:
    feed = MemoryFeed()
    feed.log(_LOSS, *((step, step, float(step)) for step in range(points)))
    return feed


@asynccontextmanager
async def _subscribed(
    streams: MetricPointStreams, selection: PointSelection = _A, principal: str | None = None
) -> AsyncIterator[AsyncGenerator[Any]]:
    events = streams.batches(selection, principal)
    try:
        yield events
    finally:
        await events.aclose()


async def _next(events: AsyncGenerator[Any]) -> Any:
    async with asyncio.timeout(_SECONDS):
        return await anext(events)


def _steps(batch: PointBatch) -> list[int]:
    return [int(step) for _, points in batch.event.points for step in points["step"]]


async def test_equal_subscriptions_share_a_batch() -> None:
    """Subscribers that have got all points get the same batch, which was read once."""
    feed = _feed()
    streams = MetricPointStreams(feed, LIMITS)
    async with AsyncExitStack() as stack:
        events = [await stack.enter_async_context(_subscribed(streams)) for _ in range(100)]
        await asyncio.gather(*map(_next, events))
        assert (streams.logs, streams.subscribers) == (1, 100)
        assert feed.calls == ["series_states", "points_from"]
        feed.log(_LOSS, (3, 3, 3.0))
        streams.wake()
        batches = await asyncio.gather(*map(_next, events))
        assert len(set(map(id, batches))) == 1
        assert _steps(batches[0]) == [3]
        assert len(feed.calls) == 4
    assert (streams.logs, streams.subscribers) == (0, 0)


async def test_points_of_an_event_are_in_order() -> None:
    """They are sorted by timestamp, step and value, whatever the order in which they were logged."""
    feed = MemoryFeed()
    points = [(0, 5, 2.0), (0, 5, 1.0), (1, 5, 0.0), (7, 6, 0.0), (2, 7, 0.0)]
    feed.log(_LOSS, *(points[index] for index in (4, 0, 3, 1, 2)))
    async with _subscribed(MetricPointStreams(feed, LIMITS)) as events:
        ((_, sent),) = (await _next(events)).event.points
    found = [(int(point["timestamp"]), int(point["step"]), float(point["value"])) for point in sent]
    assert found == sorted(found)
    assert len(found) == len(points)


async def test_different_runs_are_read_together() -> None:
    """The number of calls for a thousand runs is that for one."""
    feed = MemoryFeed()
    for number in range(1_000):
        feed.log((str(number), "loss"), (0, 0, 0.0))
    streams = MetricPointStreams(feed, LIMITS)
    async with AsyncExitStack() as stack:
        events = [
            await stack.enter_async_context(_subscribed(streams, PointSelection([str(number)])))
            for number in range(1_000)
        ]
        await asyncio.gather(*map(_next, events))
        feed.calls.clear()
        for number in range(1_000):
            feed.log((str(number), "loss"), (1, 1, 1.0))
        streams.wake()
        batches = await asyncio.gather(*map(_next, events))
        assert [_steps(batch) for batch in batches] == [[1]] * 1_000
        assert feed.calls == ["series_states", "points_from"]


async def test_slow_subscriber_gets_all_points() -> None:
    """A subscriber that does not read gets later what others got meanwhile."""
    feed = _feed()
    streams = MetricPointStreams(feed, LIMITS)
    async with _subscribed(streams) as slow, _subscribed(streams) as quick:
        await asyncio.gather(_next(slow), _next(quick))
        for step in range(3, 6):
            feed.log(_LOSS, (step, step, float(step)))
            streams.wake()
            assert _steps(await _next(quick)) == [step]
        assert _steps(await _next(slow)) == [3, 4, 5]


async def test_large_histories_are_several_events() -> None:
    """No event has more points than the limit, and each event's cursor goes on behind it."""
    feed = _feed(10)
    feed.end()
    streams = MetricPointStreams(feed, replace(LIMITS, stream_batch_points=4))
    async with _subscribed(streams) as events:
        batches = [batch async for batch in events]
    assert list(map(_steps, batches)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [batch.event.is_complete for batch in batches] == [False, False, True]
    async with _subscribed(streams, replace(_A, after=batches[0].cursor)) as events:
        assert [_steps(batch) async for batch in events] == [[4, 5, 6, 7], [8, 9]]


async def test_run_without_points_has_a_first_event() -> None:
    """The first event has a cursor even if there are no points; the last one may have none either."""
    feed = MemoryFeed(statuses={"a": "RUNNING"})
    streams = MetricPointStreams(feed, LIMITS)
    async with _subscribed(streams) as events:
        first = await _next(events)
        assert _steps(first) == []
        assert not first.event.is_complete
        feed.end()
        streams.wake()
        assert (await _next(events)).event.is_complete
        feed.log(_LOSS, (0, 0, 0.0))
    async with _subscribed(streams, replace(_A, after=first.cursor)) as events:
        assert _steps(await _next(events)) == [0]


async def test_outage_is_one_event() -> None:
    """Subscribers stay while the store is down, get one error, and go on where they were."""
    feed = _feed()
    streams = MetricPointStreams(feed, LIMITS)
    async with _subscribed(streams) as events:
        await _next(events)
        feed.error = StoreUnavailable("The store is down.")
        streams.wake()
        assert await _next(events) is feed.error
        feed.error = None
        feed.log(_LOSS, (3, 3, 3.0))
        streams.wake()
        assert _steps(await _next(events)) == [3]


async def test_principals_do_not_share_a_reading() -> None:
    """Each principal's points are read with its own credentials."""
    feed = _feed()
    streams = MetricPointStreams(feed, LIMITS)
    async with _subscribed(streams, _A, "one") as one, _subscribed(streams, _A, "two") as two:
        await asyncio.gather(_next(one), _next(two))
        assert streams.logs == 2
        assert feed.calls.count("series_states") == 2


@pytest.mark.parametrize(
    ("selection", "limits", "error"),
    [
        (PointSelection(["a", "b"]), {}, NotFound),
        (PointSelection([]), {}, BadUserInput),
        (PointSelection(["../a"]), {}, BadUserInput),
        (PointSelection(["a", "b"]), {"max_stream_runs": 1}, BadUserInput),
        (PointSelection(["a"], ["x", "y"]), {"max_stream_series": 1}, BadUserInput),
        (PointSelection(["a"], sample=Sample(5, "lttb")), {"stream_batch_points": 4}, BadUserInput),
        (PointSelection(["a"]), {"max_stream_series": 1}, LimitExceeded),
        (PointSelection(["a"]), {"max_stream_points": 3}, LimitExceeded),
        (PointSelection(["a"]), {"max_live_points": 3}, LimitExceeded),
        (PointSelection(["a"], after="x"), {}, BadUserInput),
    ],
)
async def test_stream_beyond_a_limit_is_refused(
    selection: PointSelection, limits: dict[str, int], error: type[Exception]
) -> None:
    """The subscriber gets the error, and nothing of the stream remains."""
    feed = _feed()
    feed.log(("a", "accuracy"), (0, 0, 0.0))
    streams = MetricPointStreams(feed, replace(LIMITS, **limits))
    async with _subscribed(streams, selection) as events:
        with pytest.raises(error):
            await _next(events)
    assert (streams.logs, streams.subscribers) == (0, 0)
