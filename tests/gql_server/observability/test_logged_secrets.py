"""The log, traces and metrics contain no secret."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gql_server.auth.api_keys import new_key
from gql_server.stores.mlflow.open_store import open_store
from tests.support.app.observed_app import QUERY, SECRET, TOKEN
from tests.support.servers.scripted_server import scripted_server
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store


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

    async with scripted_server([drop] * 100) as uri:
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
