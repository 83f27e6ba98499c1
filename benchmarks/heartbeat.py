"""A second process that requests /healthz without a pause and measures the longest time without a response.

    python -m benchmarks.heartbeat PORT

It prints a line when it has started, stops when its standard input ends, and then prints the longest time
between two responses, in seconds.
"""

import gc
import select
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any

_WARM_UP_REQUESTS = 50


def longest_gap(port: int, work: Callable[[], Any]) -> float:
    """Run `work` while the second process sends requests; return the longest time without a response."""
    command = [sys.executable, "-m", "benchmarks.heartbeat", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            if process.stdout is not None:
                process.stdout.readline()
            work()
            output, _ = process.communicate()
        finally:
            process.kill()
    return float(output)


def _longest_gap(port: int) -> float:
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(_WARM_UP_REQUESTS):
            _request(connection)
        gc.disable()
        _print_line("started")
        last, longest = time.perf_counter(), 0.0
        while not select.select([sys.stdin], [], [], 0)[0]:
            _request(connection)
            now = time.perf_counter()
            last, longest = now, max(longest, now - last)
        return longest


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
    _print_line(str(_longest_gap(int(sys.argv[1]))))
