"""A second process that requests /healthz again and again, and measures how long it has no response.

    python -m benchmarks.heartbeat PORT INTERVAL

INTERVAL is the shortest time between two requests in seconds; with 0 each follows the response to the one
before. The process prints a line when it has started, stops when its standard input ends, and then prints
JSON.
"""

import gc
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any

import orjson

_WARM_UP_REQUESTS = 50
_PERCENTILES = 100


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The longest time between two responses, and the 99th percentile of the response times, in seconds."""

    longest_gap: float
    p99: float


def heartbeat(port: int, work: Callable[[], Any], interval: float = 0.0) -> Heartbeat:
    """Run `work` while the second process sends requests on one connection."""
    command = [sys.executable, "-m", "benchmarks.heartbeat", str(port), str(interval)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            if process.stdout is not None:
                process.stdout.readline()
            work()
            output, _ = process.communicate()
        finally:
            process.kill()
    return Heartbeat(**orjson.loads(output))


def _measure(port: int, interval: float) -> Heartbeat:
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(_WARM_UP_REQUESTS):
            _request(connection)
        gc.disable()
        _print_line("started")
        due = last = time.perf_counter()
        gaps, times = [0.0], [0.0]
        while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
            sent = time.perf_counter()
            _request(connection)
            now = time.perf_counter()
            gaps.append(now - last)
            times.append(now - sent)
            # A late request does not make the next ones late: that would measure this process's own queue.
            last, due = now, max(now, sent + interval)
        return Heartbeat(max(gaps), statistics.quantiles(times, n=_PERCENTILES)[-1])


def _request(connection: HTTPConnection) -> None:
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    if response.status != HTTPStatus.OK:
        message = f"/healthz returned {response.status}"
        raise RuntimeError(message)


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    measured = _measure(int(sys.argv[1]), float(sys.argv[2]))
    _print_line(orjson.dumps(measured).decode())
