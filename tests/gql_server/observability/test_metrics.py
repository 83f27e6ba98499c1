"""Metrics count requests, store calls and cache lookups, of all workers."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from gql_server.app import create_app
from gql_server.auth.api_keys import new_key
from gql_server.config.settings import Settings
from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import RequestRecord
from schema.ports.errors import StoreUnavailable
from tests.support.app.observed_app import QUERY, observed_client
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store
from tests.support.waiting import wait_until


async def test_metrics_count_requests_and_store_calls() -> None:
    """/metrics counts operations by name, code and status, store calls and cache lookups, and has the lag."""
    tracking = MemoryTracking([])
    async with observed_client(tracking) as client:
        body = {"query": QUERY, "variables": {"name": "a"}, "operationName": "Named"}
        for _ in range(2):
            await client.post("/graphql", json=body)
        await client.post("/graphql", json={"query": "{ nope }"})
        tracking.failing["experiments"] = StoreUnavailable("The store is down.")
        await client.post(
            "/graphql", json={"query": "query Down { experiments { totalCount nodes { name } } }"}
        )
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    for line in (
        'gql_operations_total{code="",operation="Named",status="200"} 2.0',
        'gql_operations_total{code="GRAPHQL_VALIDATION_FAILED",operation="",status="200"} 1.0',
        'gql_operations_total{code="STORE_UNAVAILABLE",operation="Down",status="200"} 1.0',
        'gql_store_calls_total{call="experiments_by_name",outcome="ok"} 1.0',
        'gql_store_calls_total{call="experiments",outcome="STORE_UNAVAILABLE"} 1.0',
        'gql_request_seconds_count{cached="true"} 1.0',
        'gql_store_call_seconds_count{call="experiments_by_name"} 1.0',
    ):
        assert line in response.text
    for name in ("gql_cache_lookups", "gql_operations_under_way", "gql_loop_lag_seconds", "gql_thread_calls"):
        assert f"\n{name}" in response.text


def test_number_of_operation_labels_is_bounded() -> None:
    """The first hundred operation names have a label each; all others share one."""
    metrics = Metrics()
    for number in range(300):
        metrics.observe_response(RequestRecord(operation=f"q{number}"), 200, 0.1)
    rendered = metrics.render()[0].decode()
    assert rendered.count("gql_operations_total{") == 101
    assert 'operation="(other)",status="200"} 200.0' in rendered


async def test_metrics_need_credentials(tmp_path: Path) -> None:
    """Metrics are off by default, and require the same credentials as the graph."""
    app = create_app(Settings(tracking_uri="unused:"), MemoryTracking([]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/metrics")).status_code == 404
    key, line = new_key("prometheus", write=False)
    (tmp_path / "keys").write_text(line)
    keys = {"auth": "keys", "api_keys_file": str(tmp_path / "keys"), "auth_failure_seconds": 0.0}
    async with observed_client(MemoryTracking([]), **keys) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"x-api-key": key})).status_code == 200


def test_metrics_cover_all_workers(sqlite_store: Store, tmp_path: Path) -> None:
    """Any worker returns the counts of all workers, those of ended ones included."""

    def workers() -> set[int]:
        return {
            int(path.stem.rpartition("_")[2])
            for path in tmp_path.glob("gql-temporary-metrics-*/gauge_live*.db")
        }

    arguments = ("--tracking-uri", sqlite_store.uri, "--workers", "2", "--metrics")
    with running_server(*arguments, TMPDIR=str(tmp_path)) as server:

        def has_line(line: str) -> bool:
            # The killed worker may have accepted the request.
            with suppress(httpx.TransportError):
                return f"\n{line}\n" in server.get("/metrics").text
            return False

        def query(number: int) -> int:
            return server.query(f"query Many {{ experiment(experimentId: {number}) {{ name }} }}").status_code

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(query, range(40))) == {200}
        counted = 'gql_operations_total{code="",operation="Many",status="200"} 40.0'
        wait_until(lambda: has_line(counted))
        wait_until(lambda: len(workers()) == 2)
        victim = min(workers())
        # It dies while its supervisor waits for its health check.
        os.kill(victim, signal.SIGSTOP)
        time.sleep(2)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: has_line(counted) and victim not in workers() and len(workers()) == 2, 50)
