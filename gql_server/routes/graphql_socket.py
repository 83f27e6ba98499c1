"""WebSockets at `/graphql`, by the subprotocol graphql-transport-ws."""

import asyncio
import logging
from collections.abc import Collection
from functools import partial
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from gql_server.auth.authenticator import Authenticator
from gql_server.auth.client_network import network_of
from gql_server.auth.middleware import address_of
from gql_server.auth.rate_limit import RateLimiter
from gql_server.config.limits import Limits
from gql_server.http.csrf import check_origin
from gql_server.http.error_responses import error_response
from gql_server.http.request_error import RequestError
from gql_server.http.request_headers import request_headers
from gql_server.http.streaming import send_with_timeout
from gql_server.live.close_code import CloseCode, SocketClosed
from gql_server.live.live_connections import LiveConnection, LiveConnections
from gql_server.live.operation_events import OperationEvents
from gql_server.live.socket_connection import SocketConnection
from gql_server.live.socket_operations import SocketOperations
from gql_server.observability.access_log import OperationLog

SUBPROTOCOL: Final = "graphql-transport-ws"

_log = logging.getLogger(__name__)


class GraphQLSocketEndpoint:
    """The ASGI application for WebSockets.

    It refuses handshakes of foreign origins with 403. All other refusals are close codes, which browsers
    show to pages, so it accepts the connection first.
    """

    def __init__(
        self,
        *,
        events: OperationEvents,
        connections: LiveConnections,
        authenticator: Authenticator,
        rate_limiter: RateLimiter | None,
        log: OperationLog,
        limits: Limits,
        allowed_origins: Collection[str],
    ) -> None:
        self._events = events
        self._connections = connections
        self._authenticator = authenticator
        self._rate_limiter = rate_limiter
        self._log = log
        self._limits = limits
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket until it is closed."""
        await receive()
        try:
            check_origin(request_headers(scope), self._allowed_origins)
        except RequestError as error:
            await _refuse(scope, receive, send, error)
            return
        send = send_with_timeout(send, self._limits.responses.download_patience)
        offered = scope["subprotocols"]
        # A browser hides the close code of a connection whose subprotocol it did not offer.
        chosen = SUBPROTOCOL if SUBPROTOCOL in offered else next(iter(offered), None)
        await send({"type": "websocket.accept", "subprotocol": chosen, "headers": []})
        try:
            await self._serve(scope, receive, send, is_known=chosen == SUBPROTOCOL)
        except SocketClosed as closed:
            await _close(send, closed)
        except ClientDisconnect:
            return

    async def _serve(self, scope: Scope, receive: Receive, send: Send, *, is_known: bool) -> None:
        if not is_known:
            reason = f"Subprotocol not acceptable: use {SUBPROTOCOL}"
            raise SocketClosed(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, reason)
        try:
            with self._connections.open(network_of(address_of(scope))) as connection:
                await self._run(scope, receive, send, connection)
        except RequestError as error:
            raise SocketClosed(CloseCode.TRY_AGAIN_LATER, f"{error.codes[0]}: {error}") from None

    async def _run(self, scope: Scope, receive: Receive, send: Send, connection: LiveConnection) -> None:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        send_text = partial(_send_text, send)
        operations = SocketOperations(
            events=self._events,
            rate_limiter=self._rate_limiter,
            log=self._log,
            limit=self._limits.connections.max_socket_operations,
            scope=scope,
            send=send_text,
            fail=partial(_fail, failed),
        )
        protocol = SocketConnection(
            scope=scope,
            receive=receive,
            send=send_text,
            operations=operations,
            authenticator=self._authenticator,
            connections=self._connections,
            connection=connection,
            init_timeout=self._limits.connections.socket_init_timeout,
        )
        try:
            await protocol.run(failed)
        finally:
            if not failed.cancel():
                # Without this an exception that came too late is logged as never retrieved.
                failed.exception()


async def _refuse(scope: Scope, receive: Receive, send: Send, error: RequestError) -> None:
    """Refuse a handshake, with the error as the response if the server can send one."""
    response = error_response(scope, error)
    if "websocket.http.response" in scope.get("extensions", {}):
        await response(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": CloseCode.POLICY_VIOLATION.value})


async def _send_text(send: Send, text: str) -> None:
    """Send a text frame; raise `ClientDisconnect` if the client has left, or does not accept it in time."""
    try:
        await send({"type": "websocket.send", "text": text})
    except TimeoutError:
        _log.warning("a client did not accept its messages in time (GQL_DOWNLOAD_PATIENCE)")
        raise ClientDisconnect from None
    except OSError:
        raise ClientDisconnect from None


async def _close(send: Send, closed: SocketClosed) -> None:
    try:
        await send({"type": "websocket.close", "code": closed.code.value, "reason": closed.reason})
    except OSError:
        # The client has left already, or accepts nothing any more.
        return


def _fail(failed: "asyncio.Future[None]", error: Exception) -> None:
    if not failed.done():
        failed.set_exception(error)
