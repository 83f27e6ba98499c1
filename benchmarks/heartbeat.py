"""A second client, in a process of its own, that asks /healthz without a pause and notes the longest wait.

    python -m benchmarks.heartbeat PORT

It writes a line when it has begun, stops when its input ends, and writes the longest time between two
answers in seconds.
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

_WARM_UP = 50


def longest_gap(port: int, work: Callable[[], Any]) -> float:
    """Do the work while the second client asks; return the longest time without an answer, in seconds."""
    command = [sys.executable, "-m", "benchmarks.heartbeat", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:  # noqa: S603
        try:
            if asking.stdout is not None:
                asking.stdout.readline()
            work()
            output, _ = asking.communicate()
        finally:
            asking.kill()
    return float(output)


def _ask_until_told(port: int) -> float:
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(_WARM_UP):
            _ask(connection)
        gc.disable()
        _say("begun")
        last, longest = time.perf_counter(), 0.0
        while not select.select([sys.stdin], [], [], 0)[0]:
            _ask(connection)
            now = time.perf_counter()
            last, longest = now, max(longest, now - last)
        return longest


def _ask(connection: HTTPConnection) -> None:
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    response.read()
    if response.status != HTTPStatus.OK:
        message = f"/healthz answered {response.status}"
        raise RuntimeError(message)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _say(str(_ask_until_told(int(sys.argv[1]))))
