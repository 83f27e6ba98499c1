"""Clients in a separate process: each connection sends a request as soon as it has a response.

    python -m benchmarks.load PORT CONNECTIONS SECONDS < BODIES

BODIES is a JSON list of `{"body": ..., "headers": {...}}`; they are sent in turn, each once before the
measurement. It prints JSON.
"""

import asyncio
import gc
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import orjson
import uvloop

_PERCENTILES = 100
_LEAST_REQUESTS = 20
"""A slow server is measured for longer than the given seconds, until it has answered so many requests."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second, and the median and the 99th percentile of their times in seconds."""

    per_second: float
    p50: float
    p99: float


def throughput(port: int, bodies: list[dict[str, Any]], connections: int, seconds: float) -> Throughput:
    """Send requests over `connections` connections for some seconds, and measure the throughput."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(seconds)]
    done = subprocess.run(command, input=orjson.dumps(bodies), capture_output=True, check=True)  # noqa: S603
    return Throughput(**orjson.loads(done.stdout))


async def _run(port: int, connections: int, seconds: float, bodies: list[dict[str, Any]]) -> dict[str, float]:
    messages = [_message(**body) for body in bodies]
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(connections)]
    clients = [client for _, client in opened]
    await _send_all(clients, iter(messages))
    gc.freeze()
    start = time.perf_counter()
    times = await _send_all(clients, _until(start + seconds, itertools.cycle(messages)))
    took = time.perf_counter() - start
    for transport, _ in opened:
        transport.close()
    cuts = statistics.quantiles(times, n=_PERCENTILES)
    return {"per_second": len(times) / took, "p50": statistics.median(times), "p99": cuts[-1]}


def _until(end: float, messages: Iterator[bytes]) -> Iterator[bytes]:
    yield from itertools.islice(messages, _LEAST_REQUESTS)
    while time.perf_counter() < end:
        yield next(messages)


async def _send_all(clients: Iterable["_Connection"], messages: Iterator[bytes]) -> list[float]:
    """Send each message once, and return the times of the responses."""
    times: list[float] = []
    await asyncio.gather(*(client.send(messages, times) for client in clients))
    return times


class _Connection(asyncio.Protocol):
    """One connection that sends the next message when the response to the last one is complete.

    It counts the bytes of a response and keeps none of them, because the client shares the processors with
    the server that it measures.
    """

    def __init__(self) -> None:
        self._messages: Iterator[bytes] = iter(())
        self._times: list[float] = []
        self._head = b""
        self._missing = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, messages: Iterator[bytes], times: list[float]) -> asyncio.Future[None]:
        """Send messages until there are no more, and append the times of the responses."""
        self._messages, self._times = messages, times
        self._done = asyncio.get_running_loop().create_future()
        self._send_next()
        return self._done

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self._done.set_exception(RuntimeError(head.decode()))
                return
            self._head, self._missing, data = b"", _length(head), body
        self._missing -= len(data)
        if not self._missing:
            self._times.append(time.perf_counter() - self._sent)
            self._send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the server closed the connection"))

    def _send_next(self) -> None:
        message = next(self._messages, None)
        if message is None:
            self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(message)


def _length(head: bytes) -> int:
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return next(int(value) for name, _, value in fields if name == b"content-length")


def _message(body: Any, headers: dict[str, str]) -> bytes:
    content = orjson.dumps(body)
    fields = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
    } | headers
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join(["POST /graphql HTTP/1.1", *lines, "", ""]).encode() + content


if __name__ == "__main__":
    port, connections, seconds = sys.argv[1:]
    bodies = orjson.loads(sys.stdin.buffer.read())
    measured = uvloop.run(_run(int(port), int(connections), float(seconds), bodies))
    sys.stdout.buffer.write(orjson.dumps(measured))
