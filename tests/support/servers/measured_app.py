"""A server in a process of its own that measures what each request takes.

    python -m tests.support.servers.measured_app TRACKING_URI

The process prints its port. `POST /measure` begins a measurement and returns the one before.
"""

import asyncio
import gc
import json
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gql_server.config.settings import Settings
from gql_server.http.parsers.choice import http_protocol
from gql_server.serving import worker_app

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"
_TICK_SECONDS = 0.002
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the process took from one measurement to the next.

    Times are of the processor's clock, so that other processes do not change them.
    """

    peak_bytes: int
    """The peak of its resident memory, above what it had when it began to serve; 0 without /proc."""
    processor_seconds: float
    """The processor time of all its threads."""
    longest_gap: float
    """The longest processor time of the thread of the event loop between two runs of its callbacks."""
    longest_wait: float
    """The same of all threads: others may have the interpreter's lock while the event loop waits for it."""


class _Meter:
    """Measures this process. A timer notes the processor time of the event loop's thread."""

    def __init__(self) -> None:
        gc.collect()
        self._idle_bytes = _memory("VmRSS")
        self._begin()
        self._tick()

    def next(self) -> Measurement:
        """Return what was measured since the last call, and begin again."""
        self._note()
        processor = time.process_time()
        peak = max(0, _memory("VmHWM") - self._idle_bytes)
        measured = Measurement(peak, processor - self._processor, *self._longest)
        gc.collect()
        if _PROCESS.exists():
            (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
        self._begin()
        return measured

    def _begin(self) -> None:
        self._processor = time.process_time()
        self._last = _times()
        self._longest = (0.0, 0.0)

    def _tick(self) -> None:
        self._note()
        asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)

    def _note(self) -> None:
        now = _times()
        self._longest = (
            max(self._longest[0], now[0] - self._last[0]),
            max(self._longest[1], now[1] - self._last[1]),
        )
        self._last = now


class _MeasuredApp:
    """An application with a route that measures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._meter: _Meter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to `/measure`; all other requests are the application's."""
        if scope["type"] == "http" and scope["path"] == "/measure":
            if self._meter is None:
                self._meter = _Meter()
            await JSONResponse(asdict(self._meter.next()))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _times() -> tuple[float, float]:
    return time.thread_time(), time.process_time()


def _memory(name: str) -> int:
    """Return a number of bytes from Linux's /proc, or 0 on other systems."""
    if not _PROCESS.exists():
        return 0
    match = re.search(rf"^{name}:\s+(\d+) kB$", (_PROCESS / "status").read_text(), re.MULTILINE)
    return int(match[1]) * 1024 if match else 0


def _serve(settings: Settings) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        _MeasuredApp(worker_app(settings)), http=http_protocol(), log_level="error", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


class MeasuredServer:
    """A client of the process."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def answer(self, document: str, variables: Mapping[str, Any] | None = None) -> tuple[Any, Measurement]:
        """Return the response to an operation, and what it took."""
        self._measure()
        response = self.post(document, variables)
        return response, self._measure()

    def post(self, document: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send an operation."""
        return self._http.post("/graphql", json={"query": document, "variables": variables})

    def _measure(self) -> Measurement:
        return Measurement(**self._http.post("/measure").json())


@contextmanager
def measured_server(tracking_uri: str, **values: Any) -> Iterator[MeasuredServer]:
    """Serve a store with default settings, except for these values."""
    command = [
        sys.executable,
        "-m",
        "tests.support.servers.measured_app",
        json.dumps({"tracking_uri": tracking_uri, **values}),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], _START_SECONDS)[0], "the server did not start"
            port = int(process.stdout.readline())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as http:
                yield MeasuredServer(http)
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    _serve(Settings(**json.loads(sys.argv[1])))
