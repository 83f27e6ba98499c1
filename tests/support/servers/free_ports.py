"""TCP ports for the servers that tests start."""

import os

from benchmarks import ports
from benchmarks.ports import PORTS

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER_PORTS = PORTS[_WORKER::_WORKERS]
"""The ports of this test worker; a shared port could be taken by another worker between two uses."""


def free_port() -> int:
    """Return a TCP port without a listener, which no other test uses soon."""
    return ports.free_port(_WORKER_PORTS)
