"""The protocol graphql-transport-ws over one WebSocket."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller
from gql_server.auth.middleware import client_of
from gql_server.http.request_error import RequestError
from gql_server.live.close_code import CloseCode, SocketClosed
from gql_server.live.live_connections import ConnectionEnd, LiveConnection, LiveConnections
from gql_server.live.socket_credentials import socket_headers
from gql_server.live.socket_message import ClientMessage, encode_message, parse_message
from gql_server.live.socket_operations import SendText, SocketOperations
from gql_server.observability.request_record import request_record
from gql_server.runtime.cancellation import cancel

_ENDS: Final[Mapping[ConnectionEnd, tuple[CloseCode, str]]] = {
    ConnectionEnd.AGE: (CloseCode.GOING_AWAY, "Connect again (GQL_LIVE_CONNECTION_SECONDS)"),
    ConnectionEnd.EXPIRED: (CloseCode.FORBIDDEN, "The credentials have expired"),
    ConnectionEnd.STOPPING: (CloseCode.SERVICE_RESTART, "The server stops"),
}
_UNAVAILABLE: Final = 500
"""The status from which an error is not the client's."""


class SocketConnection:
    """One accepted WebSocket; `run` returns when the client has left, or raises `SocketClosed`."""

    def __init__(
        self,
        *,
        scope: Scope,
        receive: Receive,
        send: SendText,
        operations: SocketOperations,
        authenticator: Authenticator,
        connections: LiveConnections,
        connection: LiveConnection,
        init_timeout: float,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._operations = operations
        self._authenticator = authenticator
        self._connections = connections
        self._connection = connection
        self._init_timeout = init_timeout
        self._caller: Caller | None = None
        self._is_initialised = False

    async def run(self, failed: "asyncio.Future[None]") -> None:
        """Handle messages until the connection ends, or `failed` has an exception."""
        receiving = asyncio.create_task(self._handle_messages())
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._init_timeout, self._check_initialised, failed)
        awaited: set[asyncio.Future[Any]] = {receiving, failed, self._connection.ended}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()
            if receiving.done():
                receiving.result()
            elif self._connection.ended.done():
                raise SocketClosed(*_ENDS[self._connection.ended.result()])
        finally:
            timer.cancel()
            await cancel(receiving)
            await self._operations.close()

    def _check_initialised(self, failed: "asyncio.Future[None]") -> None:
        if not self._is_initialised and not failed.done():
            reason = "Connection initialisation timeout"
            failed.set_exception(SocketClosed(CloseCode.INITIALISATION_TIMEOUT, reason))

    async def _handle_messages(self) -> None:
        while (received := await self._receive())["type"] != "websocket.disconnect":
            await self._handle(parse_message(received))

    async def _handle(self, message: ClientMessage) -> None:
        match message.type:
            case "connection_init":
                await self._initialise(message.payload)
            case "ping":
                payload = orjson.dumps(message.payload) if message.payload else None
                await self._send(encode_message("pong", payload=payload))
            case "subscribe":
                if self._caller is None:
                    raise SocketClosed(CloseCode.UNAUTHORIZED, "Unauthorized: connection_init comes first")
                await self._operations.subscribe(message, self._caller)
            case "complete":
                self._operations.complete(message.id)

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._is_initialised:
            raise SocketClosed(CloseCode.TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
        self._is_initialised = True
        try:
            caller = await self._authenticator.authenticate(socket_headers(self._scope, payload))
            self._connections.assign(self._connection, client_of(caller, self._scope))
        except RequestError as error:
            request_record(self._scope).codes = error.codes
            is_busy = error.status is not None and error.status >= _UNAVAILABLE
            code = CloseCode.TRY_AGAIN_LATER if is_busy else CloseCode.FORBIDDEN
            raise SocketClosed(code, f"{error.codes[0]}: {error}") from None
        request_record(self._scope).set_caller(caller.name)
        self._connection.expire_with(caller)
        await self._send(encode_message("connection_ack"))
        self._caller = caller
