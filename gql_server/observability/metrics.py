"""Metrics for Prometheus, by its own client."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from gql_server.observability.cache_stats import CacheStats
from gql_server.observability.request_record import RequestRecord
from gql_server.runtime.limiter import Limiter
from gql_server.runtime.threads import usage_by_name

_NAMES = 100
"""Operation names that are told apart: clients choose them, and each is kept for ever."""
_OTHER = "(other)"
_SECONDS = 1.0
"""How often the state of the process is looked at."""
_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one process; of all workers together where they share PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._names: set[str] = set()
        self._operations = Counter(
            "gql_operations", "Requests, by operation, first code and status.",
            ["operation", "code", "status"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "gql_request_seconds", "Time to the last byte of an answer.",
            ["cached"], buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._calls = Counter(
            "gql_store_calls", "Calls of the store.", ["call", "outcome"], registry=registry
        )
        self._call_seconds = Histogram(
            "gql_store_call_seconds", "Time of a call of the store.",
            ["call"], buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._cache = Gauge(
            "gql_cache_lookups", "Look-ups in the cache so far, by layer and outcome.",
            ["layer", "outcome"], registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._under_way = Gauge(
            "gql_operations_under_way", "Operations that run now.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._threads = Gauge(
            "gql_thread_calls", "Calls in the threads of a pool, and those that wait for one.",
            ["pool", "state"], registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._lag = Gauge(
            "gql_loop_lag_seconds", "How late the event loop was a moment ago.",
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip

    def answered(self, note: RequestRecord, status: int, seconds: float) -> None:
        """Count a request."""
        code = note.codes[0] if note.codes else ""
        self._operations.labels(self._known(note.operation), code, str(status)).inc()
        self._seconds.labels(str(note.cached).lower()).observe(seconds)

    def called(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call of the store."""
        self._calls.labels(call, outcome).inc()
        self._call_seconds.labels(call).observe(seconds)

    def shown(self) -> tuple[bytes, str]:
        """Return what Prometheus reads, and its media type."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            forget_dead_workers(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

    @asynccontextmanager
    async def watching(self, counts: CacheStats, operations: Limiter) -> AsyncIterator[None]:
        """Look at the state of the process from time to time meanwhile."""
        task = asyncio.create_task(self._watch(counts, operations))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, counts: CacheStats, operations: Limiter) -> None:
        while True:
            due = time.monotonic() + _SECONDS
            self.look(counts, operations)
            await asyncio.sleep(_SECONDS)
            self._lag.set(max(0.0, time.monotonic() - due))

    def look(self, counts: CacheStats, operations: Limiter) -> None:
        """Take over the state of the process."""
        self._under_way.set(operations.in_flight)
        for pool, usage in usage_by_name().items():
            self._threads.labels(pool, "busy").set(usage.busy)
            self._threads.labels(pool, "waiting").set(usage.waiting)
        for layer in ("answers", "records"):
            found = getattr(counts, layer)
            self._cache.labels(layer, "hit").set(found.hits)
            self._cache.labels(layer, "miss").set(found.misses)

    def _known(self, name: str) -> str:
        if name not in self._names:
            if len(self._names) >= _NAMES:
                return _OTHER
            self._names.add(name)
        return name


def forget_dead_workers(folder: Path) -> None:
    """Forget the state of workers that are no more; what they counted stays.

    A worker that is killed cannot say so itself, and the one in its place has another number.
    """
    for number in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            mark_process_dead(int(number), str(folder))  # type: ignore[no-untyped-call]
