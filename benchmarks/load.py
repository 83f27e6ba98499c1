"""The clients of W4 in a separate process: each connection sends a request as soon as it has a response.

    python -m benchmarks.load PORT CONNECTIONS REQUESTS < BODIES

BODIES is a JSON list of `{"body": ..., "headers": {...}}`; they are sent in turn. It prints JSON.
"""

import asyncio
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

_WARM_UP_DIVISOR = 10
_PERCENTILES = 100


@dataclass(frozen=True, slots=True)
class Throughput:
    """Requests a second, and the median and the 99th percentile of their times in seconds."""

    per_second: float
    p50: float
    p99: float


def throughput(port: int, bodies: list[dict[str, Any]], connections: int, requests: int) -> Throughput:
    """Send `requests` requests over `connections` connections, and measure the throughput."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(requests)]
    done = subprocess.run(command, input=orjson.dumps(bodies), capture_output=True, check=True)  # noqa: S603
    return Throughput(**orjson.loads(done.stdout))


async def _run(port: int, connections: int, requests: int, bodies: list[dict[str, Any]]) -> dict[str, float]:
    messages = itertools.cycle([_message(**body) for body in bodies])
    connected = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    await _send_all(connected, messages, max(connections, requests // _WARM_UP_DIVISOR))
    start = time.perf_counter()
    times = await _send_all(connected, messages, requests)
    seconds = time.perf_counter() - start
    for _, writer in connected:
        writer.close()
    cuts = statistics.quantiles(times, n=_PERCENTILES)
    return {"per_second": requests / seconds, "p50": statistics.median(times), "p99": cuts[-1]}


async def _send_all(connected: list[Any], messages: Iterator[bytes], requests: int) -> list[float]:
    remaining = iter(range(requests))
    times: list[float] = []
    await asyncio.gather(*(_send(reader, writer, messages, remaining, times) for reader, writer in connected))
    return times


async def _send(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    messages: Iterator[bytes],
    remaining: Iterator[int],
    times: list[float],
) -> None:
    for _ in remaining:
        start = time.perf_counter()
        writer.write(next(messages))
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
    port, connections, requests = map(int, sys.argv[1:])
    measured = uvloop.run(_run(port, connections, requests, orjson.loads(sys.stdin.buffer.read())))
    sys.stdout.buffer.write(orjson.dumps(measured))
