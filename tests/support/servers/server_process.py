"""The `gql-server` command, run in a separate process."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

import httpx

_COMMAND = [sys.executable, "-m", "gql_server.cli"]
_TIMEOUT = 60.0
"""Seconds for a start: importing MLflow takes four on an idle machine."""


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `gql-server` until it exits."""
    return subprocess.run(
        [*_COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
        env=os.environ | environment,
    )


@dataclass
class RunningServer:
    """A running server: its URL, its process and the lines that it has printed."""

    url: str
    process: "subprocess.Popen[str]"
    printed: list[str] = field(default_factory=list)

    def query(self, document: str, **variables: object) -> httpx.Response:
        """Send a query and return the whole response."""
        body = {"query": document, "variables": variables}
        return httpx.post(f"{self.url}/graphql", json=body, timeout=_TIMEOUT)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Send a GET request for a path."""
        return httpx.get(f"{self.url}{path}", timeout=_TIMEOUT, **options)


@contextmanager
def running_server(*arguments: str, command: str = "serve", **environment: str) -> Iterator[RunningServer]:
    """Start the server on a free port, and interrupt it at the end."""
    process = subprocess.Popen(
        [*_COMMAND, command, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )
    lines: Queue[str] = Queue()
    server = RunningServer("", process)
    reader = threading.Thread(target=_read_lines, args=(process, lines, server.printed), daemon=True)
    reader.start()
    try:
        server.url = _wait_for_address(process, lines, server.printed)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            reader.join(_TIMEOUT)
            if process.stdout:
                process.stdout.close()


def _read_lines(process: "subprocess.Popen[str]", lines: "Queue[str]", printed: list[str]) -> None:
    for line in process.stdout or ():
        printed.append(line)
        lines.put(line)
    lines.put("")


def _wait_for_address(process: "subprocess.Popen[str]", lines: "Queue[str]", printed: list[str]) -> str:
    address = ""
    while True:
        try:
            line = lines.get(timeout=_TIMEOUT)
        except Empty:
            line = ""
        if not line:
            process.kill()
            message = f"the server did not start: {''.join(printed)}"
            raise RuntimeError(message)
        match = re.search(r"(http://\S+)/graphql", line)
        address = match[1] if match and not address else address
        if "startup complete" in line:
            return address
