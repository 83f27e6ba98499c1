"""Free ports for servers that start listening some time after the port was chosen."""

import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress

PORTS = range(20_000, 32_768)
"""Below the ephemeral ports, so that the kernel assigns none of them in the meantime."""


def free_port(ports: Sequence[int] = PORTS) -> int:
    """Return a TCP port on which no process listens."""
    while True:
        # Not `random`, which pytest-randomly seeds equally in each test and each worker.
        port = secrets.choice(ports)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
