"""The events of streams as the answers to the operations that subscribe to them."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.config.limits import LiveLimits
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_entries import internal_error_entry, public_error_entry
from gql_server.http.request_error import RequestError
from gql_server.live.metric_points.metric_point_streams import MetricPointStreams
from gql_server.live.metric_points.point_follower import PointBatch
from gql_server.live.subscription_counts import SubscriptionCounts, check_count
from gql_server.operations.admission import AdmittedOperation
from gql_server.operations.executor import OperationExecutor
from gql_server.operations.request_key import request_key
from gql_server.stores.point_arrays import POINT, columns_of
from schema.ports.errors import PublicError
from schema.ports.point_batch import PointBatchSource, PointSelection
from schema.ports.table import Column, Many, One, Table

_SHARED_ANSWERS: Final = 64
"""The latest answers, of which equal subscriptions get the same bytes."""


class StreamAnswers:
    """Executes a subscription to `metricPoints` once for each event.

    Subscribers of equal operations that are at the same position get the same bytes.
    """

    def __init__(
        self,
        streams: MetricPointStreams,
        executor: OperationExecutor,
        subscriptions: SubscriptionCounts,
        limits: LiveLimits,
    ) -> None:
        self._streams = streams
        self._executor = executor
        self._limits = limits
        self._subscriptions = subscriptions
        self._slots = asyncio.Semaphore(limits.live_concurrency)
        self._answers: OrderedDict[tuple[str, PointBatch], asyncio.Task[bytes]] = OrderedDict()

    async def events(self, operation: AdmittedOperation, caller: Caller) -> AsyncGenerator[bytes]:
        """Yield the answer for each batch of points as JSON.

        Raise `PublicError` if the stream ends with an error, and `RequestError`.
        """
        key = request_key(operation.request, caller)
        # The first execution has no points: it finds the arguments, or what is wrong with them.
        first = _SelectionSource()
        # In a task of its own, because the context of this one, in which the store is polled, would otherwise
        # have the budget of that execution.
        response = await asyncio.create_task(
            self._executor.execute(operation, caller, CacheControl.NO_CACHE, first)
        )
        if response.codes or first.selection is None:
            yield bytes(response.body)
            return
        stream = self._streams.batches(first.selection, caller.principal)
        with self._subscriptions.subscription(caller):
            check_count(self._streams.logs, self._limits.max_cohorts, "different streams", "GQL_MAX_COHORTS")
            async with aclosing(stream) as batches:
                async for batch in batches:
                    if isinstance(batch, Exception):
                        yield _failure(batch)
                    else:
                        yield await self._answer(key, operation, caller, batch)

    async def close(self) -> None:
        """End all streams after the event that each has now."""
        await self._streams.close()

    def wake(self) -> None:
        """Read new points now, because the store has changed."""
        self._streams.wake()

    async def _answer(
        self, key: str, operation: AdmittedOperation, caller: Caller, batch: PointBatch
    ) -> bytes:
        task = self._answers.get((key, batch))
        if task is None:
            task = asyncio.create_task(self._execute(operation, caller, batch))
            self._answers[key, batch] = task
            if len(self._answers) > _SHARED_ANSWERS:
                self._answers.popitem(last=False)
        # The others wait for it too.
        return await asyncio.shield(task)

    async def _execute(self, operation: AdmittedOperation, caller: Caller, batch: PointBatch) -> bytes:
        source = _BatchSource(batch)
        while True:
            try:
                async with self._slots:
                    response = await self._executor.execute(operation, caller, CacheControl.NO_CACHE, source)
                return bytes(response.body)
            except RequestError as error:
                if error.codes != (ErrorCode.OVERLOADED,):
                    raise
            # The points are sent later, and not lost.
            await asyncio.sleep(self._limits.live_interval)


@dataclass(slots=True)
class _SelectionSource(PointBatchSource):
    """Notes what an operation selects."""

    selection: PointSelection | None = None

    @override
    def batch(self, selection: PointSelection) -> One:
        self.selection = selection
        return _row("", Many(Table(0, {"run_id": [], "key": [], "points": _points([])}), [(0, 0)]))


@dataclass(frozen=True, slots=True)
class _BatchSource(PointBatchSource):
    """Has the points of one batch."""

    value: PointBatch

    @override
    def batch(self, selection: PointSelection) -> One:
        event = self.value.event
        columns: dict[str, Column] = {
            "run_id": [run_id for (run_id, _), _ in event.points],
            "key": [key for (_, key), _ in event.points],
            "points": _points([points for _, points in event.points]),
        }
        size = len(event.points)
        return _row(self.value.cursor, Many(Table(size, columns), [(0, size)]), is_complete=event.is_complete)


def _row(cursor: str, series: Many, *, is_complete: bool = False) -> One:
    return One(Table(1, {"cursor": [cursor], "series": series, "complete": [is_complete]}), [0])


def _points(arrays: list[Any]) -> Many:
    """Return the points of each series, from its points with their hashes."""
    points = []
    for logged in arrays:
        array = np.empty(len(logged), POINT)
        for name in POINT.names or ():
            array[name] = logged[name]
        points.append(array)
    stops = np.cumsum([0, *map(len, points)]).tolist()
    return Many(Table(stops[-1], columns_of(points)), list(pairwise(stops)))


def _failure(error: Exception) -> bytes:
    entry = public_error_entry(error) if isinstance(error, PublicError) else internal_error_entry(error)
    return orjson.dumps({"errors": [entry]})
