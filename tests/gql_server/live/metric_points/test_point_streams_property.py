"""Each point is sent once: whatever is logged when, and wherever a client goes on."""

import asyncio
import math
from collections import Counter
from collections.abc import Hashable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gql_server.live.metric_points.point_follower import PointBatches
from gql_server.live.metric_points.point_log import PointLog
from gql_server.live.metric_points.point_poller import PointPoller
from gql_server.live.metric_points.stream_cursor import resume
from gql_server.live.metric_points.stream_position import StreamPosition
from schema.ports.tracking import Series
from tests.gql_server.live.metric_points.memory_feed import MemoryFeed, StoredPoint, identity
from tests.gql_server.live.metric_points.stream_limits import LIMITS

SERIES: Final = [("a", "loss"), ("a", "accuracy"), ("b", "loss")]
_POINT = st.tuples(
    st.integers(-3, 12),
    st.integers(0, 12),
    st.sampled_from([0.0, -0.0, 1.0, -1.5, math.nan, math.inf, -math.inf, 5e-324, 1.7e308]),
)
_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.sampled_from(SERIES), st.lists(_POINT, min_size=1, max_size=6)),
        st.sampled_from(["poll", "receive", "reconnect", "lose"]),
    ),
    max_size=40,
)


class Client:
    """A client with what it has received, and its replica of the server."""

    def __init__(self, feed: MemoryFeed, max_points: int) -> None:
        self.received: Counter[tuple[Series, Hashable]] = Counter()
        self._feed = feed
        self._max_points = max_points
        self._cursor: str | None = None
        self._position = StreamPosition()
        self.is_complete = False
        self.connect()

    def connect(self) -> None:
        """Connect to another replica, which has read nothing yet, with the latest cursor."""
        self._log = PointLog(["a", "b"], None)
        self._batches = PointBatches(self._log, self._max_points)
        self._poller = PointPoller(self._feed, LIMITS)
        self._poller.logs.append(self._log)
        self.poll()
        self._position = StreamPosition() if self._cursor is None else resume(self._log, self._cursor)

    def poll(self) -> None:
        """Let the server read what is new."""
        asyncio.run(self._poller.poll())
        assert self._log.failure is None
        assert self._log.end is None

    def receive(self, *, lost: bool = False) -> bool:
        """Receive one event, or lose it with the connection; return whether more can follow now."""
        batch = self._batches.after(self._position, None)
        if lost:
            self.connect()
            return True
        for series, points in batch.event.points:
            for point in points:
                stored = int(point["step"]), int(point["timestamp"]), float(point["value"])
                self.received[series, identity(stored)] += 1
        self._position, self._cursor = batch.event.position, batch.cursor
        self.is_complete = batch.event.is_complete
        return not batch.event.is_last


@pytest.mark.parametrize("counted", [True, False])
@given(actions=_ACTIONS, max_points=st.sampled_from([1, 2, 3, 100]))
@settings(max_examples=150)
def test_each_point_is_received_once(
    counted: bool,  # noqa: FBT001 - a parameter of pytest
    actions: list[str | tuple[str, Series, list[StoredPoint]]],
    max_points: int,
) -> None:
    """After the runs have ended, a client has each stored point once, wherever it lost its connection."""
    feed = MemoryFeed(counted)
    for run_id in "ab":
        feed.statuses[run_id] = "RUNNING"
    client = Client(feed, max_points)
    for action in actions:
        if isinstance(action, tuple):
            feed.log(action[1], *action[2])
        elif action == "poll":
            client.poll()
        elif action == "reconnect":
            client.connect()
        else:
            client.receive(lost=action == "lose")
    feed.end()
    client.poll()
    while client.receive():
        pass
    assert client.is_complete
    stored = {(series, key) for series, points in feed.points.items() for key in points}
    assert client.received == dict.fromkeys(stored, 1)
