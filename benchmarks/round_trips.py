"""The round trips between this server and Postgres, counted by a proxy between them."""

import asyncio
import statistics
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

from sqlalchemy.engine import URL

from benchmarks.client import Client
from benchmarks.process import gql_server
from benchmarks.workload import Workload

_WARM_UP_REQUESTS = 20
_REQUESTS = 20
_CHUNK = 65_536
_DEFAULT_PORT = 5432


class CountingProxy:
    """Forwards connections to a server, and counts how often the clients send after the server has sent.

    What a client sends in one go, such as the messages of a pipeline, is one round trip.
    """

    def __init__(self, host: str, port: int) -> None:
        self.round_trips = 0
        self.port = 0
        self._address = (host, port)

    async def listen(self) -> asyncio.Server:
        """Listen on a free port of this machine."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._address)
        answered = True

        async def forward() -> None:
            nonlocal answered
            while chunk := await reader.read(_CHUNK):
                self.round_trips += answered
                answered = False
                upstream_writer.write(chunk)
            upstream_writer.close()

        async def answer() -> None:
            nonlocal answered
            while chunk := await upstream_reader.read(_CHUNK):
                answered = True
                writer.write(chunk)
            writer.close()

        try:
            # Either end may close the connection first.
            await asyncio.gather(forward(), answer(), return_exceptions=True)
        finally:
            writer.close()
            upstream_writer.close()


def round_trips(database: URL, workload: Workload, logs: Path) -> float:
    """Return the median of the round trips of one cold request, once the server has had some requests."""
    with counting_proxy(database.host or "127.0.0.1", database.port or _DEFAULT_PORT) as proxy:
        url = database.set(host="127.0.0.1", port=proxy.port)
        uri = url.render_as_string(hide_password=False)
        with gql_server(uri, logs) as served, closing(Client(served.port)) as client:
            for _ in range(_WARM_UP_REQUESTS):
                client.cold(workload)
            counts = []
            for _ in range(_REQUESTS):
                before = proxy.round_trips
                client.cold(workload)
                counts.append(proxy.round_trips - before)
    return statistics.median(counts)


@contextmanager
def counting_proxy(host: str, port: int) -> Iterator[CountingProxy]:
    """Yield a proxy that runs in a thread until the block ends."""
    proxy = CountingProxy(host, port)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(proxy.listen())
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_cancel_tasks())
        loop.close()


async def _cancel_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # Transports close their sockets in the next turn of the loop.
    await asyncio.sleep(0)
