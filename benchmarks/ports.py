"""Ports for servers that listen a while after their port was chosen."""

import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress

PORTS = range(20_000, 32_768)
"""Below those that the kernel gives to whoever asks for any, so that nobody is given one meanwhile."""


def free_port(ports: Sequence[int] = PORTS) -> int:
    """Return one of these TCP ports that nobody listens on, nor will soon, though it be left for a while."""
    while True:
        # Not by `random`, which begins alike in each test and each worker of the tests.
        port = secrets.choice(ports)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
