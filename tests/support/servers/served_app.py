"""An application served by uvicorn in a thread, with either of its parsers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from gql_server.http.parsers.h11_protocol import BoundedH11Protocol
from gql_server.http.parsers.httptools_protocol import BoundedHttpToolsProtocol

PARSERS = {"httptools": BoundedHttpToolsProtocol, "h11": BoundedH11Protocol}
"""The classes for connections that the server may use."""


Address = tuple[str, int]


@contextmanager
def served_app(app: ASGIApp, **options: Any) -> Iterator[Address]:
    """Serve an application on a free port with these options of uvicorn, and yield the address."""
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False, **options)
    server = uvicorn.Server(config)
    ready = threading.Event()
    startup = server.startup

    async def announce(*arguments: Any, **keywords: Any) -> None:
        await startup(*arguments, **keywords)
        ready.set()

    server.startup = announce  # type: ignore[method-assign]
    thread = threading.Thread(target=_run, args=(server,))
    thread.start()
    try:
        assert ready.wait(30)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield host, port
    finally:
        server.should_exit = True
        thread.join(30)


def _run(server: uvicorn.Server) -> None:
    # The loop of the command: uvloop.
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve())


def exchange(address: Address, *parts: bytes) -> bytes:
    """Send all parts, then read until the server closes the connection; raise OSError for a reset."""
    with socket.create_connection(address, timeout=30) as connection:
        for part in parts:
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65536), b""))
