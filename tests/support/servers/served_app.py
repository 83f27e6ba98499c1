"""An application served by uvicorn in a thread, with either of its parsers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

PARSERS = ("httptools", "h11")


@contextmanager
def served_app(app: ASGIApp, **options: Any) -> Iterator[tuple[str, int]]:
    """Serve an application on a free port with these options of uvicorn, and yield the address."""
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False, **options)
    server = uvicorn.Server(config)
    ready = threading.Event()
    startup = server.startup

    async def announce(*arguments: Any, **keywords: Any) -> None:
        await startup(*arguments, **keywords)
        ready.set()

    server.startup = announce  # type: ignore[method-assign]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        assert ready.wait(30)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield host, port
    finally:
        server.should_exit = True
        thread.join(30)


def exchange(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send all parts, then read until the server closes the connection; raise OSError for a reset."""
    with socket.create_connection(address, timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))
