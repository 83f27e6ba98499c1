"""The access log, metrics and traces record requests, and none of them contains a secret."""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gql_server.app import create_app
from gql_server.auth.api_keys import new_key
from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller
from gql_server.config.settings import Settings
from gql_server.observability.metrics import Metrics
from gql_server.observability.request_record import RequestRecord
from gql_server.observability.tracing import TracingConfigError, set_up_tracing
from gql_server.stores.mlflow.open_store import open_store
from schema.ports.errors import StoreUnavailable
from tests.support.memory_tracking import MemoryTracking
from tests.support.odd_server import saying
from tests.support.server_process import running_server
from tests.support.stores import Store
from tests.support.waiting import wait_until

QUERY = "query Named($name: String!) { experiment(name: $name) { name } }"
SECRET = "hunter2-in-a-variable"
TOKEN = "hunter2-in-a-token"


@asynccontextmanager
async def client_of(tracking: MemoryTracking, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of an application over a store."""
    defaults = {"tracking_uri": "unused:", "metrics": True, "cache_running_seconds": 600}
    app = create_app(Settings(**(defaults | settings)), tracking)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        yield client


async def test_metrics_count_requests_and_store_calls() -> None:
    """/metrics counts operations by name, code and status, store calls and cache lookups, and has the lag."""
    tracking = MemoryTracking([])
    async with client_of(tracking) as client:
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
    async with client_of(MemoryTracking([]), **keys) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"x-api-key": key})).status_code == 200


async def test_access_log_has_a_line_for_each_request(caplog: pytest.LogCaptureFixture) -> None:
    """The line of a request has its operation, hash, status, time and cost, but no variable."""
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with client_of(MemoryTracking([])) as client:
            parameters = {"query": QUERY, "variables": json.dumps({"name": SECRET})}
            headers = {"authorization": f"Bearer {TOKEN}"}
            for _ in range(2):
                await client.get("/graphql", params=parameters, headers=headers)
            await client.get("/graphql", params={"query": "{"})
    first, second, invalid = (
        json.loads(record.message) for record in caplog.records if record.name == "gql_server.access"
    )
    assert (first["route"], first["operation"]) == ("/graphql", "Named")
    assert (first["method"], first["status"], first["cost"], first["cached"]) == ("GET", 200, 1, False)
    assert len(first["document"]) == 16
    assert first["milliseconds"] > 0
    assert first["bytes"] > 0
    assert (second["cached"], second["document"]) == (True, first["document"])
    assert invalid["codes"] == ["GRAPHQL_PARSE_FAILED"]
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


async def test_access_log_has_tables_and_artifacts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Requests for tables and artifacts are logged with caller, status and codes, but without their URL."""
    key, line = new_key("reader", write=False)
    (tmp_path / "keys").write_text(line)
    settings = {"auth": "keys", "api_keys_file": str(tmp_path / "keys"), "auth_failure_seconds": 0.0}
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with client_of(MemoryTracking([]), **settings) as client:
            credentials = {"x-api-key": key}
            table = await client.get(
                "/tables/runs.csv", params={"filter": f"tags.a = '{SECRET}'"}, headers=credentials
            )
            await client.get(f"/artifacts/{SECRET}/a.txt")
            await client.get("/healthz")
            metrics = await client.get("/metrics", headers=credentials)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "gql_server.access"]
    assert [(line["route"], line["status"]) for line in lines] == [("/tables", 200), ("/artifacts", 401)]
    assert (lines[0]["caller"], lines[0]["bytes"]) == ("key:reader", len(table.content))
    assert (lines[1]["caller"], lines[1]["codes"]) == ("", ["UNAUTHENTICATED"])
    assert SECRET not in caplog.text
    assert "gql_operations_total{" not in metrics.text


async def test_access_log_accepts_any_caller_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A long name is cut, and a lone surrogate in it is replaced."""

    async def find(*_: object) -> Caller:
        return Caller("user:\ud800\n" + "a" * 10_000)

    monkeypatch.setattr(Authenticator, "authenticate", find)
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with client_of(MemoryTracking([])) as client:
            await client.post("/graphql", json={"query": QUERY, "variables": {"name": "a"}})
    (line,) = (record.message for record in caplog.records if record.name == "gql_server.access")
    assert json.loads(line)["caller"] == "user:?\n" + "a" * 93


def test_metrics_cover_all_workers(sqlite_store: Store, tmp_path: Path) -> None:
    """Any worker returns the counts of all workers, those of ended ones included."""

    def workers() -> set[int]:
        return {int(path.stem.rpartition("_")[2]) for path in tmp_path.glob("gql-metrics-*/gauge_live*.db")}

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


def test_log_traces_and_metrics_contain_no_secret(sqlite_store: Store, tmp_path: Path) -> None:
    """No key, variable or header of a request, valid or not, is in the log, the traces or the metrics.

    The traces have a span for the request, for each level and for each call to the store.
    """
    key, line = new_key("tester", write=False)
    (tmp_path / "keys").write_text(line)
    with httpx.Client(timeout=60) as client, running_server(
        "--tracking-uri", sqlite_store.uri, "--auth", "keys", "--api-keys-file", str(tmp_path / "keys"),
        "--metrics", "--log-level", "debug", "--auth-failure-seconds", "0",
        OTEL_TRACES_EXPORTER="console", OTEL_BSP_SCHEDULE_DELAY="100",
    ) as server:  # fmt: skip
        url, credentials = f"{server.url}/graphql", {"x-api-key": key}
        variables = {"name": SECRET}
        body = {"query": QUERY, "variables": variables}
        assert client.post(url, json=body, headers=credentials).json() == {"data": {"experiment": None}}
        parameters = {"query": QUERY, "variables": json.dumps(variables)}
        assert client.get(url, params=parameters, headers=credentials).status_code == 200
        nested = "{ experiments { nodes { name runs { nodes { name } } } } }"
        assert client.post(url, json={"query": nested}, headers=credentials).status_code == 200
        for headers in ({"authorization": f"Bearer {TOKEN}"}, {"x-api-key": TOKEN}):
            assert client.post(url, json=body, headers=headers).status_code == 401
        wrong = {"query": QUERY, "variables": {"name": {"a": SECRET}}}
        assert client.post(url, json=wrong, headers=credentials).status_code == 200
        metrics = server.get("/metrics", headers=credentials).text
    printed = "".join(server.printed) + metrics
    for secret in (key, SECRET, TOKEN):
        assert secret not in printed
    for name in ("graphql Named", "level Experiment", "store experiments_by_name"):
        assert f'"name": "{name}"' in printed
    assert "key:tester" in printed


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_log_contains_no_url_of_an_mlflow_server(level: str) -> None:
    """The URLs of requests to MLflow contain names that a client sent, and the log contains none of them."""

    async def drop(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with saying([drop] * 100) as uri:
        server = running_server("--tracking-uri", uri, "--log-level", level)
        running = await asyncio.to_thread(server.__enter__)
        try:
            response = await asyncio.to_thread(running.query, QUERY, name=SECRET)
            assert response.json()["errors"][0]["extensions"]["code"] == "STORE_UNAVAILABLE"
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)
    assert SECRET not in "".join(running.printed)


def test_database_error_contains_no_value(sqlite_store: Store) -> None:
    """An unexpected error is logged with its traceback, which has the statement without its values."""
    engine = open_store(sqlite_store.uri).engine  # type: ignore[attr-defined]
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("SELECT :name FROM nowhere"), {"name": SECRET})
    engine.dispose()
    assert "nowhere" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_unknown_exporter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names an exporter that is not supported; without OTEL_* variables tracing stays off."""
    set_up_tracing()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    with pytest.raises(TracingConfigError, match="zipkin"):
        set_up_tracing()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    set_up_tracing()
