"""An HTTP server with scripted responses."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

Respond: TypeAlias = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]
"""Writes the response to one request."""

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"


async def never_respond(_: asyncio.StreamWriter) -> None:
    """Write nothing for longer than any test takes."""
    await asyncio.sleep(600)


async def respond_slowly(writer: asyncio.StreamWriter) -> None:
    """Write a response that would take a day, with short pauses only."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.05)


async def respond_not_found(writer: asyncio.StreamWriter) -> None:
    """Write a 404 response immediately."""
    writer.write(NOT_FOUND)


@asynccontextmanager
async def scripted_server(
    responses: list[Respond], context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Yield the URI of a server that uses one of the responses for each request, in order."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                await responses.pop(0)(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports close their sockets in the next iteration of the event loop.
        await asyncio.sleep(0.05)
