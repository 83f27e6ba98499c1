"""Tests of pass-through authentication with a real MLflow server that has users."""

import base64
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from pydantic import ValidationError
from starlette.datastructures import Headers

from gql_server.app import create_app
from gql_server.auth.caller import Caller, current_caller
from gql_server.auth.pass_through import PassThrough
from gql_server.config.settings import Settings
from tests.support.servers.mlflow_server import MlflowServer
from tests.support.stores.store import copy_template

ADMIN = ("admin", "password-of-admin")
ADA, BOB = ("ada", "password-of-ada"), ("bob", "password-of-bob")
DELAY = 0.2
"""Seconds of the delay before invalid credentials are rejected."""
RUNS = "{ experiments { nodes { name runs { nodes { name metrics { key history { value } } } } } } }"


@dataclass
class AuthServer:
    """An MLflow server with users: the experiment `secret` is Ada's."""

    server: MlflowServer
    experiment_id: str

    def call(self, path: str, body: Any, user: tuple[str, str], method: str = "POST") -> Any:
        """Call MLflow's REST API as a user."""
        url = f"{self.server.uri}/api/2.0/mlflow/{path}"
        response = requests.request(method, url, json=body, auth=user, timeout=60)
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="module")
def auth_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthServer]:
    """Run the server. Bob has no permission for Ada's experiment."""
    folder = tmp_path_factory.mktemp("auth_server")
    config = folder / "auth.ini"
    config.write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{folder}/auth.db\n"
        f"admin_username = {ADMIN[0]}\nadmin_password = {ADMIN[1]}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    server = MlflowServer(
        copy_template(sqlite_template, folder / "mlflow.db"),
        folder,
        options=("--app-name", "basic-auth"),
        environment={"MLFLOW_AUTH_CONFIG_PATH": str(config), "MLFLOW_FLASK_SERVER_SECRET_KEY": "tests"},
    )
    server.start()
    try:
        running = AuthServer(server, "")
        for user, password in (ADA, BOB):
            running.call("users/create", {"username": user, "password": password}, ADMIN)
        running.experiment_id = running.call("experiments/create", {"name": "secret"}, ADA)["experiment_id"]
        for number in range(4):
            run = {"experiment_id": running.experiment_id, "start_time": number, "run_name": f"hers-{number}"}
            run_id = running.call("runs/create", run, ADA)["run"]["info"]["run_id"]
            metric = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1, "step": 1}
            running.call("runs/log-metric", metric, ADA)
        yield running
    finally:
        server.kill()


@pytest.fixture
async def client(
    auth_server: AuthServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application over the server, with an administrator's credentials in its environment."""
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "")
    monkeypatch.setenv("MLFLOW_ALLOW_HTTP_REDIRECTS", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", ADMIN[0])
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN[1])
    settings = Settings(
        tracking_uri=auth_server.server.uri,
        auth="pass-through",
        auth_failure_seconds=DELAY,
        metrics=True,
        cache_running_seconds=600,
        cache_ended_seconds=600,
        writable=True,
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client,
    ):
        yield client


async def test_callers_never_share_results(client: httpx.AsyncClient) -> None:
    """A result that one caller may read and another may not is never returned to the other from a cache."""
    names = ["hers-3", "hers-2", "hers-1", "hers-0"]
    of_ada = await client.post("/graphql", json={"query": RUNS}, auth=ADA)
    (experiment,) = [
        node for node in of_ada.json()["data"]["experiments"]["nodes"] if node["name"] == "secret"
    ]
    assert [run["name"] for run in experiment["runs"]["nodes"]] == names
    assert experiment["runs"]["nodes"][0]["metrics"] == [{"key": "loss", "history": [{"value": 0.5}]}]
    again = await client.post("/graphql", json={"query": RUNS}, auth=ADA)
    assert "age" in again.headers
    for _ in range(2):
        of_bob = await client.post("/graphql", json={"query": RUNS}, auth=BOB)
        assert "hers" not in of_bob.text
        assert "secret" not in of_bob.text
        assert "age" not in of_bob.headers or of_bob.json()["data"]["experiments"]["nodes"] == []


async def test_lookup_by_id_is_authorized_per_caller(
    client: httpx.AsyncClient, auth_server: AuthServer
) -> None:
    """A run and an experiment by id, cached for one caller, are forbidden to another."""
    search = auth_server.call("runs/search", {"experiment_ids": [auth_server.experiment_id]}, ADA)
    run_id = search["runs"][0]["info"]["run_id"]
    query = (
        f'{{ run(runId: "{run_id}") {{ name params {{ key }} metrics {{ value }} experiment {{ name }} }} }}'
    )
    of_ada = await client.post("/graphql", json={"query": query}, auth=ADA)
    assert of_ada.json()["data"]["run"]["experiment"] == {"name": "secret"}
    of_bob = await client.post("/graphql", json={"query": query}, auth=BOB)
    assert "secret" not in of_bob.text
    assert "hers" not in of_bob.text
    assert {error["extensions"]["code"] for error in of_bob.json()["errors"]} == {"FORBIDDEN"}


async def test_artifacts_are_authorized_per_caller(
    client: httpx.AsyncClient, auth_server: AuthServer
) -> None:
    """Files are uploaded, listed and downloaded with the caller's own credentials only."""
    search = auth_server.call("runs/search", {"experiment_ids": [auth_server.experiment_id]}, ADA)
    run_id = search["runs"][0]["info"]["run_id"]
    listing = {"query": f'{{ run(runId: "{run_id}") {{ artifacts {{ path }} }} }}'}
    assert (await client.put(f"/artifacts/{run_id}/note.txt", content=b"hers", auth=ADA)).status_code == 201
    of_ada = await client.post("/graphql", json=listing, auth=ADA)
    assert of_ada.json()["data"]["run"]["artifacts"] == [{"path": "note.txt"}]
    assert (await client.get(f"/artifacts/{run_id}/note.txt", auth=ADA)).content == b"hers"
    for method, content in (("GET", None), ("PUT", b"his")):
        of_bob = await client.request(method, f"/artifacts/{run_id}/note.txt", content=content, auth=BOB)
        assert of_bob.status_code == 403, of_bob.text
    refused = await client.post("/graphql", json=listing, auth=BOB)
    assert {error["extensions"]["code"] for error in refused.json()["errors"]} == {"FORBIDDEN"}
    assert "note" not in refused.text


async def test_invalid_credentials_get_401(client: httpx.AsyncClient) -> None:
    """Without credentials, or with invalid ones, the response is 401 with a challenge.

    Neither results cached for others nor the server's own credentials are used.
    """
    assert (await client.post("/graphql", json={"query": RUNS}, auth=ADA)).status_code == 200
    assert (await client.post("/graphql", json={"query": RUNS})).status_code == 401
    for auth in (("ada", "wrong"), ("ada", ""), ("", "x"), ("nobody", "x")):
        response = await client.post("/graphql", json={"query": RUNS}, auth=auth)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Basic ")
        assert "secret" not in response.text
    bearer = {"authorization": "Bearer made-up"}
    assert (await client.post("/graphql", json={"query": RUNS}, headers=bearer)).status_code == 401


@pytest.mark.parametrize("format_", ["csv", "arrow", "parquet"])
async def test_tables_are_authorized_per_caller(client: httpx.AsyncClient, format_: str) -> None:
    """A table has the rows that the caller may read, whichever caller requested it before."""
    url = f"/tables/runs.{format_}"
    for _ in range(2):
        assert b"hers-3" in (await client.get(url, auth=ADA)).content
        of_bob = await client.get(url, auth=BOB)
        assert of_bob.status_code == 200
        assert b"hers" not in of_bob.content
        etags = [(await client.head(url, auth=auth)).headers["etag"] for auth in (ADA, BOB)]
        file_of_bob = await client.get(url, auth=BOB)
        assert file_of_bob.headers["etag"] == etags[1] != etags[0]
        assert b"hers" not in file_of_bob.content
    for auth in (None, ("ada", "wrong"), ("nobody", "x")):
        for method in ("GET", "HEAD"):
            refused = await client.request(method, url, auth=auth)
            assert refused.status_code == 401, (method, auth)
            assert b"hers" not in refused.content


@pytest.mark.parametrize("auth", [("ada", "wrong"), ("nobody", "x"), None])
async def test_every_route_rejects_in_the_same_way(
    client: httpx.AsyncClient, auth_server: AuthServer, auth: tuple[str, str] | None
) -> None:
    """On every route, invalid credentials get the same 401, with a challenge and after the delay."""
    search = auth_server.call("runs/search", {"experiment_ids": [auth_server.experiment_id]}, ADA)
    note = f"/artifacts/{search['runs'][0]['info']['run_id']}/note.txt"
    tables = [f"/tables/params.{format_}" for format_ in ("csv", "arrow", "parquet")]
    bodies = set()
    for method, path in (*(("GET", path) for path in (*tables, note, "/metrics")), ("PUT", note)):
        start = time.monotonic()
        refused = await client.request(method, path, auth=auth, content=b"x" if method == "PUT" else None)
        assert time.monotonic() - start >= DELAY, path
        assert refused.status_code == 401, path
        assert refused.headers["www-authenticate"].startswith("Basic "), path
        bodies.add(refused.content)
    start = time.monotonic()
    refused = await client.request("POST", "/graphql", json={"query": RUNS}, auth=auth)
    assert time.monotonic() - start >= DELAY
    assert bodies == {refused.content}


async def test_metrics_accept_callers_of_the_mlflow_server(client: httpx.AsyncClient) -> None:
    """A caller whom the MLflow server accepts may read the metrics."""
    assert "gql_" in (await client.get("/metrics", auth=BOB)).text


async def test_credentials_are_verified_by_the_mlflow_server_only(client: httpx.AsyncClient) -> None:
    """Credentials count as verified once the MLflow server accepted them, and not after another response."""
    wrong = ("ada", "wrong")
    assert (await client.post("/graphql", json={"query": "{ __typename }"}, auth=wrong)).is_success
    assert (await client.post("/graphql", json={"query": RUNS}, auth=wrong)).status_code == 401
    assert not await _verified(*wrong)
    assert (await client.post("/graphql", json={"query": RUNS}, auth=("bob", "wrong"))).status_code == 401
    assert (await client.get("/tables/experiments.csv", auth=BOB)).status_code == 200
    assert await _verified(*BOB)
    assert not await _verified("bob", "wrong")


async def _verified(user: str, password: str) -> bool:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    caller = await PassThrough().authenticate(Headers({"authorization": f"Basic {encoded}"}))
    assert caller is not None
    return caller.verified


async def test_readiness_needs_no_credentials(client: httpx.AsyncClient) -> None:
    """The server is ready when the MLflow server responds, although it has no credentials itself."""
    assert (await client.get("/readyz")).json()["status"] == "ready"


async def test_requests_carry_the_current_callers_credentials_only(
    client: httpx.AsyncClient, auth_server: AuthServer
) -> None:
    """A request to MLflow has no cookie and no credentials of another caller."""
    assert client
    seen: list[requests.PreparedRequest] = []
    creds = get_default_host_creds(auth_server.server.uri)
    for caller in (Caller("a", authorization="Bearer a"), Caller("b"), None):
        current_caller.set(caller)
        response = http_request(
            creds, "/api/2.0/mlflow/experiments/search", "GET",
            extra_headers={"Cookie": "session=ada"},
        )  # fmt: skip
        seen.append(response.request)
    current_caller.set(None)
    assert [request.headers.get("Authorization") for request in seen] == ["Bearer a", None, None]
    assert not [request for request in seen if "Cookie" in request.headers]
    assert os.environ["MLFLOW_ALLOW_HTTP_REDIRECTS"] == "false"


def test_pass_through_needs_an_mlflow_server() -> None:
    """Pass-through with a database is refused in the settings."""
    with pytest.raises(ValidationError, match="MLflow server"):
        Settings(tracking_uri="sqlite:///mlflow.db", auth="pass-through")
