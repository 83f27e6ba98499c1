"""Tests of cancelling work for a client that has disconnected."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from gql_server.http.disconnect import has_disconnected, while_connected


class Connection:
    """A connection; `receive` returns when the client has disconnected."""

    def __init__(self) -> None:
        self.listening = asyncio.Event()
        self.disconnected = asyncio.Event()

    async def receive(self) -> Message:
        """Return the message of the disconnect."""
        self.listening.set()
        await self.disconnected.wait()
        return {"type": "http.disconnect"}


class Work:
    """Work that ends when it is released."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.cancelled = False
        self.task: asyncio.Task[Any] | None = None

    async def run(self) -> str:
        """Return a result."""
        self.task = asyncio.current_task()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


def in_task(connection: Connection, work: Coroutine[Any, Any, str]) -> "asyncio.Task[str]":
    """Start the work in a task of its own."""
    return asyncio.ensure_future(while_connected(connection.receive, work))


async def test_short_work_runs_in_the_callers_task_without_listening() -> None:
    """Work that ends soon takes no further task, and nothing is received."""
    connection, work = Connection(), Work()
    work.released.set()
    assert await while_connected(connection.receive, work.run()) == "done"
    assert work.task is asyncio.current_task()
    assert not connection.listening.is_set()


async def test_long_work_returns_its_result() -> None:
    """Work that takes longer returns its result, and listening ends with it."""
    connection, work = Connection(), Work()
    request = in_task(connection, work.run())
    await connection.listening.wait()
    work.released.set()
    assert await request == "done"
    assert request.cancelling() == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_disconnect_cancels_the_work() -> None:
    """When the client disconnects, the work is cancelled, and the task of the request goes on."""
    connection, work = Connection(), Work()
    request = in_task(connection, work.run())
    await connection.listening.wait()
    connection.disconnected.set()
    with pytest.raises(ClientDisconnect):
        await request
    assert work.cancelled
    assert request.cancelling() == 0


async def test_cancelling_the_request_is_no_disconnect() -> None:
    """When the request's task is cancelled, so is the work, also if the client disconnects as well."""
    for disconnects in (False, True):
        connection, work = Connection(), Work()
        request = in_task(connection, work.run())
        await connection.listening.wait()
        request.cancel()
        if disconnects:
            connection.disconnected.set()
        await asyncio.wait([request])
        assert request.cancelled()
        assert work.cancelled


async def test_failing_connection_counts_as_disconnected() -> None:
    """Work is cancelled if listening fails."""

    async def fail() -> Message:
        raise OSError

    work = Work()
    with pytest.raises(ClientDisconnect):
        await while_connected(fail, work.run())
    assert work.cancelled


async def test_disconnect_is_noticed_without_waiting() -> None:
    """Whether the client is there is known at once, and asking changes nothing."""
    connection = Connection()
    assert not has_disconnected(connection.receive)
    assert not has_disconnected(connection.receive)
    connection.disconnected.set()
    assert has_disconnected(connection.receive)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_request_without_a_body_is_no_disconnect() -> None:
    """The message of a request that has no body is no disconnect."""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    assert not has_disconnected(receive)
