"""An HTTP server that answers as it is told, or does not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

Answer: TypeAlias = Callable[[asyncio.StreamWriter], Coroutine[Any, Any, None]]

MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"


async def silence(_: asyncio.StreamWriter) -> None:
    """Say nothing for longer than any test lasts."""
    await asyncio.sleep(600)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Begin an answer that would take a day, with never a pause that anybody would call one."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.05)


async def refuse(writer: asyncio.StreamWriter) -> None:
    """Answer at once that there is no such thing."""
    writer.write(MISSING)


@asynccontextmanager
async def saying(answers: list[Answer], context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Give the URI of a server that answers its requests so, one after the other, whoever asks."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                await answers.pop(0)(writer)
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
        # For the transports, which close their sockets in the loop's next round.
        await asyncio.sleep(0.05)
