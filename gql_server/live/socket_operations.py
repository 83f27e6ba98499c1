"""The operations that run over one WebSocket."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from gql_server.auth.caller import Caller, current_caller
from gql_server.auth.middleware import address_of, client_of
from gql_server.auth.rate_limit import RateLimiter
from gql_server.http.error_codes import ErrorCode
from gql_server.http.error_responses import request_error
from gql_server.http.graphql_request import GraphQLRequest, request_from_object
from gql_server.http.negotiation import GRAPHQL_RESPONSE
from gql_server.http.request_error import RequestError
from gql_server.live.close_code import CloseCode, SocketClosed
from gql_server.live.operation_events import OperationEvents
from gql_server.live.socket_message import ClientMessage, encode_message
from gql_server.observability.access_log import OperationLog
from gql_server.observability.request_record import RequestRecord
from gql_server.runtime.cancellation import cancel
from gql_server.runtime.fair_semaphore import current_client
from schema.ports.errors import Unauthenticated

SendText = Callable[[str], Awaitable[None]]
Fail = Callable[[Exception], None]


class SocketOperations:
    """Runs the operations of one caller over one WebSocket, each in a task.

    `send` raises `ClientDisconnect`. `fail` is called with an exception that ends the connection.
    """

    def __init__(
        self,
        *,
        events: OperationEvents,
        rate_limiter: RateLimiter | None,
        log: OperationLog,
        limit: int,
        scope: Scope,
        send: SendText,
        fail: Fail,
    ) -> None:
        self._events = events
        self._rate_limiter = rate_limiter
        self._log = log
        self._limit = limit
        self._scope = scope
        self._send = send
        self._fail = fail
        self._by_id: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """All tasks, with those of operations that the client has completed and that have not ended."""

    async def subscribe(self, message: ClientMessage, caller: Caller) -> None:
        """Start an operation; raise `SocketClosed` for an id in use or a request that is not one."""
        if message.id in self._by_id:
            reason = f"Subscriber for {message.id} already exists"
            raise SocketClosed(CloseCode.SUBSCRIBER_ALREADY_EXISTS, reason)
        try:
            request = request_from_object(dict(message.payload), self._scope.get("root_path", ""))
        except RequestError as error:
            raise SocketClosed(CloseCode.BAD_REQUEST, str(error)) from None
        if len(self._tasks) >= self._limit:
            text = f"{self._limit} operations run over this WebSocket (GQL_MAX_SOCKET_OPERATIONS)."
            await self._send_error(message.id, RequestError.from_message(text, ErrorCode.LIMIT_EXCEEDED))
            return
        task = asyncio.create_task(self._run(message.id, request, caller))
        self._by_id[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def complete(self, operation_id: str) -> None:
        """End an operation for the client; one that has ended already is ignored."""
        task = self._by_id.pop(operation_id, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End all operations."""
        self._by_id.clear()
        await cancel(*self._tasks)

    async def _run(self, operation_id: str, request: GraphQLRequest, caller: Caller) -> None:
        current_caller.set(caller)
        current_client.set(client_of(caller, self._scope))
        record, start, status, size = RequestRecord(), time.perf_counter(), HTTPStatus.OK, 0
        record.set_caller(caller.name)
        try:
            if self._rate_limiter is not None:
                await self._rate_limiter.count(caller, address_of(self._scope))
            async with aclosing(self._events.events(request, caller, record)) as events:
                async for event in events:
                    size += len(event)
                    await self._send(encode_message("next", operation_id, event))
            self._forget(operation_id)
            await self._send(encode_message("complete", operation_id))
        except ClientDisconnect as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the protocol has a message for each error
            refusal = request_error(error)
            record.codes, status = refusal.codes, refusal.status_in(GRAPHQL_RESPONSE)
            await self._report(operation_id, refusal, error)
        finally:
            self._forget(operation_id)
            self._log.observe(self._scope, record, status, size, time.perf_counter() - start)

    async def _report(self, operation_id: str, refusal: RequestError, error: Exception) -> None:
        try:
            self._forget(operation_id)
            await self._send_error(operation_id, refusal)
        except ClientDisconnect as failure:
            self._fail(failure)
        if isinstance(error, Unauthenticated):
            self._fail(SocketClosed(CloseCode.FORBIDDEN, str(error)))

    async def _send_error(self, operation_id: str, error: RequestError) -> None:
        await self._send(encode_message("error", operation_id, orjson.dumps(error.errors)))

    def _forget(self, operation_id: str) -> None:
        """Free the id, unless the client has used it again meanwhile."""
        if self._by_id.get(operation_id) is asyncio.current_task():
            del self._by_id[operation_id]
