"""A Redis server for one test."""

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import redis
from redis.exceptions import RedisError

from tests.support.servers.free_ports import free_port

_START_SECONDS = 10.0


class RedisServer:
    """A Redis server on a free port, which the test can suspend, kill and restart."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it empty, and return when it responds."""
        options = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self._process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        message = "redis-server did not start"
        raise RuntimeError(message)

    def suspend(self) -> None:
        """Suspend it: it accepts connections and commands but does not respond."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Kill it at once."""
        if self._process:
            self._process.kill()
            self._process.wait(_START_SECONDS)
            self._process = None
