"""The events of queries and mutations: one result each."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.cache.cache_control import CacheControl
from gql_server.cache.response_cache import CachedResponse
from gql_server.http.error_codes import ErrorCode
from gql_server.http.graphql_request import GraphQLRequest
from gql_server.http.request_error import RequestError
from gql_server.live.operation_events import OperationEvents
from gql_server.observability.request_record import RequestRecord
from gql_server.operations.request_executor import RequestExecutor
from schema.ports.errors import Unauthenticated

_T = TypeVar("_T")


class SingleOperation(OperationEvents):
    """Executes queries and mutations as `/graphql` does without event streams, and yields their result."""

    def __init__(self, requests: RequestExecutor) -> None:
        self._requests = requests

    @override
    async def events(
        self, request: GraphQLRequest, caller: Caller, record: RequestRecord
    ) -> AsyncGenerator[bytes, None]:
        response = await self._response(request, caller, record)
        record.codes = response.codes
        if caller.authorization is not None and ErrorCode.UNAUTHENTICATED in response.codes:
            message = "The MLflow server did not accept the caller's credentials."
            raise Unauthenticated(message)
        yield bytes(response.body)

    async def _response(
        self, request: GraphQLRequest, caller: Caller, record: RequestRecord
    ) -> CachedResponse:
        lookup = await self._requests.look_up(request, caller, CacheControl.DEFAULT, record)
        if lookup.response is not None:
            return lookup.response
        operation = await self._requests.admit(lookup, caller, record)
        if operation.is_subscription:
            message = "This server has no subscriptions."
            raise RequestError.from_message(message, ErrorCode.BAD_USER_INPUT)
        execution = self._requests.execute(lookup, operation, caller)
        return await (execution if operation.is_query else _to_its_end(execution))


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
