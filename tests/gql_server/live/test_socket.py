"""Tests of WebSockets with the subprotocol graphql-transport-ws, over uvicorn."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from gql_server.auth.api_keys import new_key
from gql_server.config.settings import Settings
from gql_server.http.error_codes import ErrorCode
from gql_server.http.parsers.websocket_protocol import BoundedWebSocketProtocol
from gql_server.http.request_error import RequestError
from tests.support.app.scripted_events import ScriptedEvents
from tests.support.app.small_app import SmallApp
from tests.support.clock import Clock
from tests.support.servers.served_app import Address, served_app
from tests.support.servers.token_provider import AUDIENCE, ISSUER, TokenProvider

PROTOCOL = Subprotocol("graphql-transport-ws")
INIT = {"type": "connection_init"}
QUERY = "{ __schema { queryType { name } } }"
DATA = {"data": {"__schema": {"queryType": {"name": "Query"}}}}
TICKS = "subscription { ticks }"
TICK = b'{"data":{"ticks":1}}'


def subscribe(
    operation_id: str = "1", query: str = "subscription { ticks }", **payload: Any
) -> dict[str, Any]:
    """Return the message that starts an operation."""
    return {"type": "subscribe", "id": operation_id, "payload": {"query": query, **payload}}


class Socket:
    """A client that sends and receives messages as objects."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, *messages: object) -> None:
        """Send messages."""
        for message in messages:
            await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> Any:
        """Return the next message."""
        async with asyncio.timeout(30):
            return json.loads(await self.connection.recv())

    async def closed(self) -> tuple[int, str]:
        """Return the code and the reason with which the server closes the connection."""
        async with asyncio.timeout(30):
            async for _ in self._received():
                pass
        assert self.connection.close_code is not None
        return self.connection.close_code, self.connection.close_reason or ""

    async def _received(self) -> AsyncIterator[Any]:
        with suppress(ConnectionClosed):
            while True:
                yield await self.connection.recv()


@asynccontextmanager
async def opened(
    address: Address, *, init: bool = True, protocols: Sequence[Subprotocol] = (PROTOCOL,), **options: Any
) -> AsyncIterator[Socket]:
    """Open a WebSocket, by default initialised."""
    url = f"ws://{address[0]}:{address[1]}/"
    async with connect(url, subprotocols=protocols or None, **options) as connection:
        socket = Socket(connection)
        if init:
            await socket.send(INIT)
            assert await socket.receive() == {"type": "connection_ack"}
        yield socket


def served(app: SmallApp, **options: Any) -> Any:
    """Serve an application with the WebSocket protocol of the server."""
    return served_app(app.app, ws=BoundedWebSocketProtocol, **options)


async def ended(events: ScriptedEvents) -> None:
    """Return when no operation runs any more."""
    async with asyncio.timeout(30):
        while events.running:  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.02)


def settings(**values: Any) -> Settings:
    """Return settings without a store."""
    return Settings(tracking_uri="unused:", **values)


async def test_query_has_one_result() -> None:
    """A query has a result and `complete`, and its id can be used again."""
    with served(SmallApp()) as address:
        async with opened(address) as socket:
            assert socket.connection.subprotocol == PROTOCOL
            for _ in range(2):
                await socket.send(subscribe("a", QUERY))
                assert await socket.receive() == {"type": "next", "id": "a", "payload": DATA}
                assert await socket.receive() == {"type": "complete", "id": "a"}


async def test_subscription_has_many_results() -> None:
    """A subscription has results until it is complete."""
    with served(SmallApp(events=ScriptedEvents(TICK, TICK))) as address:
        async with opened(address) as socket:
            await socket.send(subscribe())
            received = [await socket.receive() for _ in range(3)]
    assert [message["type"] for message in received] == ["next", "next", "complete"]


async def test_client_completes_an_operation() -> None:
    """An operation that the client completes is ended, and the connection goes on."""
    events = ScriptedEvents(TICK, waits=True)
    with served(SmallApp(events=events)) as address:
        async with opened(address) as socket:
            for _ in range(3):
                await socket.send(subscribe())
                assert (await socket.receive())["type"] == "next"
                await socket.send({"type": "complete", "id": "1"}, {"type": "complete", "id": "unknown"})
            await socket.send({"type": "ping", "payload": {"a": 1}})
            assert await socket.receive() == {"type": "pong", "payload": {"a": 1}}
            await ended(events)


async def test_errors_are_messages() -> None:
    """Errors of a document, a refusal and an unexpected error are `error`, with their codes."""
    errors: dict[str, Exception] = {
        "OVERLOADED": RequestError.unavailable("busy", ErrorCode.OVERLOADED),
        "INTERNAL_SERVER_ERROR": ValueError("secret"),
    }
    for code, error in errors.items():
        with served(SmallApp(events=ScriptedEvents(error=error))) as address:
            async with opened(address) as socket:
                await socket.send(subscribe())
                message = await socket.receive()
                assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", code)
                assert "secret" not in str(message)
    with served(SmallApp()) as address:
        async with opened(address) as socket:
            await socket.send(subscribe(query="{ unknown }"))
            message = await socket.receive()
            assert message["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no JSON"], 4400),
        ([b"{}"], 4400),
        (["[]"], 4400),
        ([{"type": "unknown"}], 4400),
        ([{"type": ["ping"]}], 4400),
        ([{"type": "connection_init", "payload": 1}], 4400),
        ([INIT, {"type": "subscribe", "id": "", "payload": {"query": QUERY}}], 4400),
        ([INIT, {"type": "subscribe", "id": 1, "payload": {"query": QUERY}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": QUERY, "variables": "{}"}}], 4400),
        ([INIT, INIT], 4429),
        ([subscribe()], 4401),
        ([INIT, subscribe(), subscribe()], 4409),
    ],
)
async def test_invalid_messages_close_the_connection(messages: list[object], code: int) -> None:
    """A message that the protocol does not allow closes the connection with the protocol's code."""
    app = SmallApp(events=ScriptedEvents(waits=True))
    with served(app) as address:
        async with opened(address, init=False) as socket:
            await socket.send(*messages)
            assert (await socket.closed())[0] == code
    assert len(app.connections) == 0


async def test_connection_must_be_initialised_in_time() -> None:
    """A connection that sends no `connection_init` is closed with 4408."""
    with served(SmallApp(settings(socket_init_timeout=0.01))) as address:
        async with opened(address, init=False) as socket:
            assert (await socket.closed())[0] == 4408


@pytest.mark.parametrize("protocols", [[], ["graphql-ws"], ["other", "graphql-ws"]])
async def test_other_subprotocols_are_refused(protocols: list[str]) -> None:
    """The old subprotocol, an unknown one and none get 4406 with the name of the right one."""
    with served(SmallApp()) as address:
        offered = [Subprotocol(name) for name in protocols]
        async with opened(address, init=False, protocols=offered) as socket:
            code, reason = await socket.closed()
    assert code == 4406
    assert PROTOCOL in reason


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://{host}", True),
        ("https://app.example.org", True),
        ("https://evil.example.org", False),
        (None, True),
    ],
)
async def test_origin_is_checked(origin: str | None, accepted: bool) -> None:  # noqa: FBT001
    """A page of a foreign origin gets 403 before the connection is accepted."""
    with served(SmallApp(settings(allowed_origins="https://app.example.org"))) as address:
        sent = origin and Origin(origin.format(host=f"{address[0]}:{address[1]}"))
        if accepted:
            async with opened(address, origin=sent):
                return
        with pytest.raises(InvalidStatus) as caught:
            async with opened(address, origin=sent):
                pass
    assert caught.value.response.status_code == 403
    assert b"GQL_ALLOWED_ORIGINS" in (caught.value.response.body or b"")


async def test_api_key_is_checked(tmp_path: Path) -> None:
    """A key in a header of the handshake, or in `connection_init` is accepted; others get 4403."""
    key, line = new_key("ada", write=False)
    (tmp_path / "keys").write_text(line)
    events = ScriptedEvents(TICK)
    app = SmallApp(
        settings(auth="keys", api_keys_file=str(tmp_path / "keys"), auth_failure_seconds=0), events
    )
    with served(app) as address:
        payloads: tuple[dict[str, Any], ...]
        payloads = ({"x-api-key": key}, {"X-API-Key": key}, {"Authorization": f"Bearer {key}"})
        for payload in payloads:
            async with opened(address, init=False) as socket:
                await socket.send({**INIT, "payload": payload}, subscribe())
                assert (await socket.receive())["type"] == "connection_ack"
                assert (await socket.receive())["type"] == "next"
        async with opened(address, additional_headers={"x-api-key": key}):
            pass
        twice = {"x-api-key": key, "X-API-KEY": "other"}
        for payload in ({}, {"x-api-key": "wrong"}, {"x-api-key": 1}, twice):
            async with opened(address, init=False) as socket:
                await socket.send({**INIT, "payload": payload}, subscribe())
                code, reason = await socket.closed()
                assert (code, reason.partition(":")[0]) == (4403, "UNAUTHENTICATED")
    assert {caller.name for caller in events.callers} == {"key:ada"}


async def test_connection_ends_with_its_token(provider: TokenProvider) -> None:
    """A connection is closed with 4403 when its token expires, after which graphql-ws gets a new one."""
    clock, events = Clock(), ScriptedEvents(TICK, waits=True)
    jwt = settings(
        auth="jwt", jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_jwks_url=provider.url, jwt_leeway=0
    )
    app = SmallApp(jwt, events, clock)
    payload = {"authorization": f"Bearer {provider.token()}"}
    with served(app) as address:
        async with opened(address, init=False) as socket:
            await socket.send({**INIT, "payload": payload}, subscribe())
            assert (await socket.receive())["type"] == "connection_ack"
            assert (await socket.receive())["type"] == "next"
            (caller,) = events.callers
            assert caller.expires is not None
            assert events.running == 1
        clock.now = caller.expires - 0.05
        async with opened(address, init=False) as socket:
            await socket.send({**INIT, "payload": payload})
            assert (await socket.receive())["type"] == "connection_ack"
            assert await socket.closed() == (4403, "The credentials have expired")


async def test_subscribes_count_against_the_rate_limit() -> None:
    """Each operation counts as a request; one beyond the rate gets an error, and the connection goes on."""
    with served(SmallApp(settings(rate_limit="2/hour"))) as address:
        async with opened(address) as socket:
            for expected in (["next", "complete"], ["next", "complete"], ["error"]):
                await socket.send(subscribe(query=QUERY))
                messages = [await socket.receive() for _ in expected]
                assert [message["type"] for message in messages] == expected
    assert messages[0]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_operations_are_limited() -> None:
    """An operation beyond the limit of a connection gets LIMIT_EXCEEDED and the setting's name."""
    app = SmallApp(settings(max_socket_operations=1), ScriptedEvents(TICK, waits=True))
    with served(app) as address:
        async with opened(address) as socket:
            await socket.send(subscribe("1"), subscribe("2"))
            messages = {
                message["id"]: message for message in [await socket.receive(), await socket.receive()]
            }
    assert messages["1"]["type"] == "next"
    (error,) = messages["2"]["payload"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "GQL_MAX_SOCKET_OPERATIONS" in error["message"]


@pytest.mark.parametrize("setting", ["max_live_connections", "max_caller_connections"])
async def test_connections_are_limited(setting: str) -> None:
    """A connection beyond a limit is closed with 1013 and the setting's name, until another ends."""
    with served(SmallApp(settings(**{setting: 1}))) as address:
        async with opened(address), opened(address, init=False) as socket:
            code, reason = await socket.closed()
            assert code == 1013
            assert reason.startswith("LIMIT_EXCEEDED")
            assert f"GQL_{setting.upper()}"[:20] in reason


async def test_long_message_closes_the_connection() -> None:
    """A message longer than the limit closes the connection with 1009."""
    with served(SmallApp(), ws_max_size=1000) as address:
        async with opened(address) as socket:
            await socket.send(subscribe(query="#" * 2000))
            assert (await socket.closed())[0] == 1009


@pytest.mark.parametrize("is_stopping", [True, False])
async def test_ended_connections_have_a_code(is_stopping: bool) -> None:  # noqa: FBT001
    """A connection is closed with 1001 at its age, and with 1012 when the server stops."""
    events = ScriptedEvents(TICK, waits=True)
    app = SmallApp(settings(live_connection_seconds=3600 if is_stopping else 0.2), events)
    with served(app) as address:
        async with opened(address) as socket:
            await socket.send(subscribe())
            assert (await socket.receive())["type"] == "next"
            if is_stopping:
                (loop,) = events.loops
                loop.call_soon_threadsafe(app.connections.end_all)
            assert (await socket.closed())[0] == (1012 if is_stopping else 1001)


async def test_silent_client_is_disconnected() -> None:
    """A client that does not respond to pings is disconnected after the second one's time."""
    events = ScriptedEvents(TICK, waits=True)
    app = SmallApp(events=events)
    with served(app, ws_ping_interval=0.2, ws_ping_timeout=0.2) as address:
        async with opened(address, ping_interval=None) as socket:
            await socket.send(subscribe())
            assert (await socket.receive())["type"] == "next"
            # Paused reading: the client's library receives no ping and sends no pong.
            socket.connection.transport.pause_reading()
            await ended(events)
            socket.connection.transport.abort()
    assert len(app.connections) == 0


async def test_connections_leave_nothing() -> None:
    """1,000 connections, with an operation each, leave no connection, no operation and no task."""
    events = ScriptedEvents(TICK, waits=True)
    app = SmallApp(events=events)
    with served(app) as address:

        async def visit(count: int) -> None:
            for _ in range(count):
                async with opened(address) as socket:
                    await socket.send(subscribe())
                    assert (await socket.receive())["type"] == "next"

        await asyncio.gather(*(visit(100) for _ in range(10)))
        (loop,) = events.loops
        async with asyncio.timeout(30):
            while events.running or len(app.connections):  # noqa: ASYNC110 - another thread changes it
                await asyncio.sleep(0.02)
            # The server's own tasks: its main one and the one of the lifespan.
            while len(asyncio.all_tasks(loop)) > 2:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
    assert len(events.requests) == 1000
