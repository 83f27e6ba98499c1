"""Work for clients that have closed the connection: it is not begun, or cancelled."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar, cast

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

_T = TypeVar("_T")

_LISTEN_SECONDS: Final = 0.02
"""The time after which a disconnect is listened for, which takes a task: most requests end before."""


async def while_connected(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of the work; cancel it and raise ClientDisconnect if the client disconnects first.

    The request's body must have been read. The work runs in the task of the caller.
    """
    listener = _DisconnectListener(receive)
    try:
        return await work
    except asyncio.CancelledError:
        if listener.has_cancelled_alone:
            raise ClientDisconnect from None
        raise
    finally:
        listener.close()


def has_disconnected(receive: Receive) -> bool:
    """Return whether the client has closed the connection, as far as the event loop has noticed.

    The request's body must have been read. Nothing is awaited: what would wait is closed.
    """
    receiving = cast("Coroutine[Any, Any, Message]", receive())
    try:
        receiving.send(None)
    except StopIteration as stop:
        message: Message = stop.value
        return bool(message["type"] == "http.disconnect")
    receiving.close()
    return False


class _DisconnectListener:
    """Cancels the current task when the client disconnects, until it is closed."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = _current_task()
        self._cancellations = self._task.cancelling()
        self._cancelled = False
        self._listening: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_LISTEN_SECONDS, self._listen)

    @property
    def has_cancelled_alone(self) -> bool:
        """Return whether this listener has cancelled the task, and nothing else has."""
        return self._cancelled and self._task.cancelling() == self._cancellations + 1

    def close(self) -> None:
        """Stop listening."""
        self._timer.cancel()
        if self._listening is not None:
            self._listening.remove_done_callback(self._cancel)
            self._listening.cancel()
        if self._cancelled:
            self._task.uncancel()

    def _listen(self) -> None:
        self._listening = asyncio.ensure_future(wait_for_disconnect(self._receive))
        self._listening.add_done_callback(self._cancel)

    def _cancel(self, listening: "asyncio.Task[None]") -> None:
        # Retrieves an exception as well: without a way to listen, the client counts as disconnected.
        if not listening.cancelled():
            listening.exception()
            self._cancelled = self._task.cancel()


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task
    return task


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has closed the connection; the request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
