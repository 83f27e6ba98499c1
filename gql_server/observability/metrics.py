"""Metrics for Prometheus."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sized
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

_MAX_OPERATION_NAMES = 100
"""Names of operations that get a label each. Clients choose the names, and a label is never removed."""
_OTHER = "(other)"
_SAMPLE_SECONDS = 1.0
"""Seconds between two samples of the state of the process."""
_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one process, or of all workers if they share PROMETHEUS_MULTIPROC_DIR."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._operation_names: set[str] = set()
        # The metrics of each combination of labels: prometheus_client's own lookup takes ten times as long.
        self._histograms: dict[bool, Histogram] = {}
        self._operation_counters: dict[tuple[str, str, str], Counter] = {}
        self._operations = Counter(
            "gql_operations", "Requests by operation, first error code and status.",
            ["operation", "code", "status"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "gql_request_seconds", "Time to the last byte of a response.",
            ["cached"], buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._store_calls = Counter(
            "gql_store_calls", "Calls to the store.", ["call", "outcome"], registry=registry
        )
        self._store_call_seconds = Histogram(
            "gql_store_call_seconds", "Time of a call to the store.",
            ["call"], buckets=_BUCKETS, registry=registry,
        )  # fmt: skip
        self._cache = Gauge(
            "gql_cache_lookups", "Cache lookups by layer and outcome.",
            ["layer", "outcome"], registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._running = Gauge(
            "gql_operations_under_way", "Running operations.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._connections = Gauge(
            "gql_live_connections", "Open event streams and WebSockets.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._threads = Gauge(
            "gql_thread_calls", "Calls that run in the threads of a pool, and calls that wait for a thread.",
            ["pool", "state"], registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._subscriptions = Gauge(
            "gql_subscriptions", "Subscriptions, and different ones among them.",
            ["count"], registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._live_executions = Counter(
            "gql_live_executions", "Executions of operations for subscriptions.", registry=registry
        )
        self._lag = Gauge(
            "gql_loop_lag_seconds", "Delay of the event loop in the last second.",
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip

    def observe_response(self, record: RequestRecord, status: int, seconds: float) -> None:
        """Count a request for the graph, and the time that its response took."""
        code = record.codes[0] if record.codes else ""
        labels = self._operation_label(record.operation), code, str(status)
        counter = self._operation_counters.get(labels)
        if counter is None:
            counter = self._operation_counters[labels] = self._operations.labels(*labels)
        counter.inc()
        if record.kind == "subscription":
            # It ends when its client leaves, perhaps after hours.
            return
        histogram = self._histograms.get(record.cached)
        if histogram is None:
            histogram = self._histograms[record.cached] = self._seconds.labels(str(record.cached).lower())
        histogram.observe(seconds)

    def observe_store_call(self, call: str, outcome: str, seconds: float) -> None:
        """Count a call to the store, and its time."""
        self._store_calls.labels(call, outcome).inc()
        self._store_call_seconds.labels(call).observe(seconds)

    def observe_live_execution(self) -> None:
        """Count an execution for the subscribers of one cohort."""
        self._live_executions.inc()

    def set_subscriptions(self, subscribers: int, cohorts: int) -> None:
        """Set the numbers of subscriptions and of different ones."""
        self._subscriptions.labels("all").set(subscribers)
        self._subscriptions.labels("different").set(cohorts)

    def render(self) -> tuple[bytes, str]:
        """Return all metrics in the format of Prometheus, and its media type."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            remove_dead_workers(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST

    @asynccontextmanager
    async def sampling(
        self, stats: CacheStats, operations: Limiter, connections: Sized
    ) -> AsyncIterator[None]:
        """Sample the state of the process every second while the block runs."""
        task = asyncio.create_task(self._sample_repeatedly(stats, operations, connections))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _sample_repeatedly(self, stats: CacheStats, operations: Limiter, connections: Sized) -> None:
        while True:
            due = time.monotonic() + _SAMPLE_SECONDS
            self._sample(stats, operations, connections)
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._lag.set(max(0.0, time.monotonic() - due))

    def _sample(self, stats: CacheStats, operations: Limiter, connections: Sized) -> None:
        self._running.set(operations.in_flight)
        self._connections.set(len(connections))
        for pool, usage in usage_by_name().items():
            self._threads.labels(pool, "busy").set(usage.busy)
            self._threads.labels(pool, "waiting").set(usage.waiting)
        for layer in ("answers", "records"):
            counts = getattr(stats, layer)
            self._cache.labels(layer, "hit").set(counts.hits)
            self._cache.labels(layer, "miss").set(counts.misses)

    def _operation_label(self, name: str) -> str:
        if name not in self._operation_names:
            if len(self._operation_names) >= _MAX_OPERATION_NAMES:
                return _OTHER
            self._operation_names.add(name)
        return name


def remove_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that have ended; their counters stay.

    A killed worker cannot remove them itself, and the worker that replaces it has another process id.
    """
    for pid in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
