"""Tracking whether a response has started."""

from starlette.types import Message, Send


class TrackedSend:
    """An ASGI `send` that records whether the response has started: no other response is possible then."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        self.started = True
        await self._send(message)
