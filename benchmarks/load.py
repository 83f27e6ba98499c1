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
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
    connected = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    await _send_all(connected, iter(messages))
    gc.freeze()
    start = time.perf_counter()
    times = await _send_all(connected, _until(start + seconds, itertools.cycle(messages)))
    took = time.perf_counter() - start
    for _, writer in connected:
        writer.close()
    cuts = statistics.quantiles(times, n=_PERCENTILES)
    return {"per_second": len(times) / took, "p50": statistics.median(times), "p99": cuts[-1]}


def _until(end: float, messages: Iterator[bytes]) -> Iterator[bytes]:
    yield from itertools.islice(messages, _LEAST_REQUESTS)
    while time.perf_counter() < end:
        yield next(messages)


async def _send_all(connected: list[Any], messages: Iterator[bytes]) -> list[float]:
    """Send each message once, and return the times of the responses."""
    times: list[float] = []
    await asyncio.gather(*(_send(reader, writer, messages, times) for reader, writer in connected))
    return times


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, messages: Iterator[bytes], times: list[float]
) -> None:
    for message in messages:
        start = time.perf_counter()
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        await reader.readexactly(_length(head))
        times.append(time.perf_counter() - start)


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
