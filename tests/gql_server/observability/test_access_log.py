"""The access log has one line for each request."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gql_server.auth.api_keys import new_key
from gql_server.auth.authenticator import Authenticator
from gql_server.auth.caller import Caller
from gql_server.exports.table_exporter import TableExporter
from gql_server.observability.access_log import log_to_stderr
from tests.support.app.artifact_owners import ArtifactOwner, run
from tests.support.app.graphql_client import graphql_client
from tests.support.app.observed_app import QUERY, SECRET, TOKEN, observed_client
from tests.support.schema.memory_tracking import MemoryTracking
from tests.support.stores.store import Store

__all__ = ["run"]


async def test_access_log_has_a_line_for_each_request(caplog: pytest.LogCaptureFixture) -> None:
    """The line of a request has its operation, hash, status, time and cost, but no variable."""
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with observed_client(MemoryTracking([])) as client:
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
        async with observed_client(MemoryTracking([]), **settings) as client:
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


async def test_access_log_has_the_codes_of_file_routes(
    sqlite_store: Store, run: ArtifactOwner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The line of a refused table, download or upload has the codes of its errors."""
    database_error = OperationalError("SELECT 1", {}, Exception("no connection"))

    async def fail(*_: object) -> None:
        raise database_error

    async with graphql_client(sqlite_store.uri, writable=True) as graphql:
        with caplog.at_level(logging.INFO, "gql_server.access"):
            await graphql.http.get("/tables/absent.csv")
            await graphql.http.get("/tables/runs.csv?limit=1")
            await graphql.http.get(f"{run.route}/absent.txt")
            await graphql.http.put(f"/artifacts/{'0' * 32}/a.txt", content=b"x")
            await graphql.http.put(f"{run.route}/a.txt", content=b"x")
            await graphql.http.post("/tables/runs.csv")
            monkeypatch.setattr(TableExporter, "start_stream", fail)
            await graphql.http.get("/tables/runs.csv")
    assert codes_in(caplog) == [
        ("/tables", 404, ["NOT_FOUND"]),
        ("/tables", 400, ["BAD_USER_INPUT"]),
        ("/artifacts", 404, ["NOT_FOUND"]),
        ("/artifacts", 404, ["NOT_FOUND"]),
        ("/artifacts", 201, []),
        ("/tables", 405, ["BAD_USER_INPUT"]),
        ("/tables", 503, ["STORE_UNAVAILABLE"]),
    ]


async def test_access_log_has_the_codes_of_refused_requests(caplog: pytest.LogCaptureFixture) -> None:
    """The line of a request that is refused before it reaches a route has the code of the error."""
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with observed_client(MemoryTracking([])) as client:
            await client.get("/graphql", headers={"x-other": "a" * 70_000})
            await client.get("/graphql", headers={"host": "evil.example"})
            await client.get("/tables/runs/csv")
    assert codes_in(caplog) == [
        ("/graphql", 431, ["LIMIT_EXCEEDED"]),
        ("/graphql", 403, ["FORBIDDEN"]),
        ("/tables", 404, ["NOT_FOUND"]),
    ]


def codes_in(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, list[str]]]:
    """Return the route, the status and the codes of each line of the access log."""
    lines = [json.loads(record.message) for record in caplog.records if record.name == "gql_server.access"]
    return [(line["route"], line["status"], line["codes"]) for line in lines]


async def test_access_log_accepts_any_caller_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A long name is cut, and a lone surrogate in it is replaced."""

    async def find(*_: object) -> Caller:
        return Caller("user:\ud800\n" + "a" * 10_000)

    monkeypatch.setattr(Authenticator, "authenticate", find)
    with caplog.at_level(logging.INFO, "gql_server.access"):
        async with observed_client(MemoryTracking([])) as client:
            await client.post("/graphql", json={"query": QUERY, "variables": {"name": "a"}})
    (line,) = (record.message for record in caplog.records if record.name == "gql_server.access")
    assert json.loads(line)["caller"] == "user:?\n" + "a" * 93


class ClosedStream(io.RawIOBase):
    """A stream whose reader is gone."""

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, _data: object) -> int:
        """Fail."""
        raise BrokenPipeError


@pytest.fixture
def log_settings() -> Iterator[None]:
    """Restore the settings of the logger after the test."""
    logger = logging.getLogger("gql_server.access")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate, logger.level = before


@pytest.mark.usefixtures("log_settings")
async def test_stderr_gets_lines_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    """Each line on stderr is one JSON object; a line that stderr does not accept fails no request."""
    log_to_stderr()
    async with observed_client(MemoryTracking([])) as client:
        await client.get("/graphql", params={"query": "{ server { version } }"})
        await client.get("/graphql", params={"query": "{"})
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert [line["codes"] for line in lines] == [[], ["GRAPHQL_PARSE_FAILED"]]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(ClosedStream())))
            response = await client.get("/graphql", params={"query": "{ server { version } }"})
    assert response.status_code == 200
