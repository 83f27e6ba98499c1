"""The ASGI application, and its process.

    python -m benchmarks.least.app PORT DATABASE

DATABASE is the tracking URI of a database with the data set. Nothing is checked: the application recognizes
the three documents by their text, and has no limits, no errors, no logs and no cache.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import orjson
import uvicorn
from sqlalchemy.engine import make_url

from benchmarks.least.objects import Object, Reader
from benchmarks.least.postgres import PostgresReader
from benchmarks.least.sqlite import SqliteReader
from benchmarks.small_workloads import S1, S2, S3
from benchmarks.workload import Workload

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class LeastApp:
    """Answers POST requests with the documents of S1 to S3."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._resolvers = _resolvers(reader)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the start and the end of the server."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["method"] == "GET":
            await _respond(send, b'{"status":"ok"}')
        else:
            body = orjson.loads(await _body(receive))
            data = await self._resolvers[body["query"]](**body["variables"])
            await _respond(send, _encode(data))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._reader.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._reader.close()
        await send({"type": "lifespan.shutdown.complete"})


def least_responses(database_uri: str, workloads: Sequence[Workload]) -> list[bytes]:
    """Return the bodies of the application's responses, without HTTP."""
    return asyncio.run(_responses(_reader(database_uri), workloads))


async def _responses(reader: Reader, workloads: Sequence[Workload]) -> list[bytes]:
    await reader.open()
    try:
        resolvers = _resolvers(reader)
        return [_encode(await resolvers[each.document](**each.variables)) for each in workloads]
    finally:
        await reader.close()


def _reader(database_uri: str) -> Reader:
    url = make_url(database_uri)
    if url.get_backend_name() == "sqlite":
        return SqliteReader(str(url.database))
    return PostgresReader(url.set(drivername="postgresql").render_as_string(hide_password=False))


def _resolvers(reader: Reader) -> dict[str, Callable[..., Awaitable[Object]]]:
    return {S1: reader.s1, S2: reader.s2, S3: reader.s3}


def _encode(data: Object) -> bytes:
    return orjson.dumps({"data": data})


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def _respond(send: Send, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def main(port: str, database_uri: str) -> None:
    """Serve without logs."""
    uvicorn.run(  # type: ignore[call-overload, unused-ignore]
        LeastApp(_reader(database_uri)),
        port=int(port),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
