"""The requests a second of two workers over those of one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.load import throughput
from benchmarks.process import Served, gql_server
from benchmarks.workload import Workload

_WORKERS = 2
_CONNECTIONS = 32
_NO_CACHE = {"Cache-Control": "no-cache"}
_NAME = "gql-server-workers"
_STARTED = b"Application startup complete"
_START_SECONDS = 60.0
Rates = tuple[float, float]
"""Requests a second of one worker and of two."""


def worker_rates(
    one: Served, database_uri: str, logs: Path, loads: dict[str, list[Workload]], rounds: int, seconds: float
) -> dict[str, Rates]:
    """Return the median requests a second of each load with one worker, and with two workers."""
    with _two_workers(database_uri, logs) as two:
        results = [
            {
                (name, served.port): _rate(served, workloads, seconds)
                for name, workloads in loads.items()
                for served in (one, two)
            }
            for _ in range(rounds)
        ]
        return {
            name: (
                median(result[name, one.port] for result in results),
                median(result[name, two.port] for result in results),
            )
            for name in loads
        }


def _rate(served: Served, workloads: list[Workload], seconds: float) -> float:
    bodies = [{"body": workload.body, "headers": _NO_CACHE} for workload in workloads]
    return throughput(served.port, bodies, _CONNECTIONS, seconds).per_second


@contextmanager
def _two_workers(database_uri: str, logs: Path) -> Iterator[Served]:
    """Serve with two workers. The block begins when both accept connections."""
    log = logs / f"{_NAME}.log"
    log.write_bytes(b"")
    with gql_server(database_uri, logs, "--workers", str(_WORKERS), name=_NAME) as served:
        deadline = time.monotonic() + _START_SECONDS
        while log.read_bytes().count(_STARTED) < _WORKERS:
            if time.monotonic() > deadline:
                message = f"{_WORKERS} workers did not start"
                raise RuntimeError(message)
            time.sleep(0.05)
        yield served
