"""The events of operations: one result of a query or a mutation, many of a subscription."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.response_cache import CachedResponse
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.live.live_queries import LiveQueries
from gql_server.live.metric_points.root_field import root_field
from gql_server.live.metric_points.stream_answers import StreamAnswers
from gql_server.live.operation_events import OperationEvents
from gql_server.observability.request_record import RequestRecord
from gql_server.operations.request_executor import RequestExecutor
from schema.ports.errors import Unauthenticated

_T = TypeVar("_T")


class ExecutedOperations(OperationEvents):
    """Executes queries and mutations as without event streams, and subscribes to live queries and streams."""

    def __init__(self, requests: RequestExecutor, live: LiveQueries, streams: StreamAnswers) -> None:
        self._requests = requests
        self._live = live
        self._streams = streams

    def wake(self) -> None:
        """Read the store for all subscriptions now, because it has changed."""
        self._live.wake()
        self._streams.wake()

    async def close(self) -> None:
        """End all subscriptions after the event that each has now."""
        await self._live.close()
        await self._streams.close()

    @override
    async def events(
        self, request: GraphQLRequest, caller: Caller, record: RequestRecord
    ) -> AsyncGenerator[bytes, None]:
        lookup = await self._requests.look_up(request, caller, CacheControl.DEFAULT, record)
        if lookup.response is not None:
            yield _body(lookup.response, caller, record)
            return
        operation = await self._requests.admit(lookup, caller, record)
        if operation.is_subscription:
            is_stream = root_field(operation) == "metricPoints"
            source = self._streams if is_stream else self._live
            async with aclosing(source.events(operation, caller)) as events:
                async for event in events:
                    yield event
            return
        execution = self._requests.execute(lookup, operation, caller)
        yield _body(await (execution if operation.is_query else _to_its_end(execution)), caller, record)


def _body(response: CachedResponse, caller: Caller, record: RequestRecord) -> bytes:
    record.codes = response.codes
    if caller.authorization is not None and ErrorCode.UNAUTHENTICATED in response.codes:
        message = "The MLflow server did not accept the caller's credentials."
        raise Unauthenticated(message)
    return bytes(response.body)


async def _to_its_end(change: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of a mutation; if this is cancelled, wait for its end first.

    A mutation that is cancelled leaves a part of its changes applied.
    """
    task = asyncio.ensure_future(change)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
