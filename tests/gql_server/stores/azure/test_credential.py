"""The server's Azure credential: azure-identity's, with an identity endpoint on loopback."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import StoreUnavailable, Unauthenticated
from schema.ports.tracking import Search
from tests.support.app.graphql_client import graphql_client
from tests.support.azure.emulator import Emulator
from tests.support.limits import LIMITS
from tests.support.servers.free_ports import free_port
from tests.support.servers.server_process import running_server
from tests.support.stores.store import Store

if TYPE_CHECKING:
    from gql_server.stores.azure.credential import CachedCredential

SCOPE = "https://management.azure.com/.default"
COUNT = "{ experiments { totalCount } }"


def cached_credential(open_credential: Callable[[], Any] | None = None) -> "CachedCredential":
    """Return a credential of the server; by default it opens azure-identity's for the environment."""
    from gql_server.stores.azure.credential import (  # noqa: PLC0415 - needs the plugin
        CachedCredential,
        non_interactive_credential,
    )

    return CachedCredential(open_credential or (lambda: non_interactive_credential(None, 5)))


async def test_many_requests_use_one_token(azure: Emulator, azure_store: Store) -> None:
    """Concurrent and consecutive requests request one token."""
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    for _ in range(2):
        await asyncio.gather(*(port.count_experiments(Search()) for _ in range(20)))
    await port.close()
    assert azure.calls["token"] == 1
    assert azure.calls["experiments/search"] == 40


async def test_token_is_renewed_before_it_expires(azure: Emulator, azure_store: Store) -> None:
    """In its last minutes a token is renewed; if that fails, the old one remains in use."""
    azure.lifetime = 200
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    await port.ready()
    azure.identity_status = 400
    for _ in range(3):
        await port.ready()
    assert azure.calls["token"] == 2
    assert len(set(azure.tokens)) == len(azure.tokens)
    await port.close()


def test_one_thread_renews_while_others_use_the_token(azure: Emulator) -> None:
    """While a token is valid, only one of many threads waits for the renewal."""
    azure.lifetime = 200
    credential = cached_credential()
    first = credential.get_token(SCOPE)
    azure.lifetime = 3600
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: credential.get_token(SCOPE).token, range(32)))
    assert azure.calls["token"] == 2
    assert set(given) <= {first.token, azure.tokens[-1]}
    assert credential.get_token(SCOPE).token == azure.tokens[-1]


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("chosen", ["InteractiveBrowserCredential", "VisualStudioCodeCredential"])
def test_no_interactive_credential_is_used(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    """No browser opens, even if an environment variable selects that credential."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", chosen)
    with pytest.raises(StoreUnavailable):
        cached_credential().get_token(SCOPE)


@pytest.mark.usefixtures("azure")
async def test_missing_credential_is_reported_in_one_line(
    azure_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a credential the server is not ready, and each response states in one line what to do."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    app = create_app(Settings(tracking_uri=azure_store.uri))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        with caplog.at_level(logging.INFO):
            for _ in range(3):
                response = await client.get("/readyz")
                assert response.status_code == 503
                assert "az login" in response.json()["reason"]
        assert [record.name for record in caplog.records if record.name.startswith("azure")] == []
    async with graphql_client(azure_store.uri) as graphql:
        error = await graphql.error(COUNT)
    assert error["extensions"]["code"] == "STORE_UNAVAILABLE"
    assert "\n" not in error["message"]


def test_server_starts_without_credential(azure_store: Store) -> None:
    """A server without a credential starts, logs it in one line, is alive and not ready."""
    with running_server(
        "--tracking-uri", azure_store.uri, AZURE_TOKEN_CREDENTIALS="EnvironmentCredential"
    ) as server:
        assert server.get("/healthz").status_code == 200
        assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == 503
        output = "".join(server.printed)
    assert output.count("credential") == 1
    assert "Traceback" not in output


def test_server_serves_with_managed_identity(azure: Emulator, azure_store: Store) -> None:
    """The command serves a workspace with the managed identity of its machine."""
    azure_store.client.create_experiment("over the wire")
    with running_server("--tracking-uri", azure_store.uri) as server:
        assert server.get("/readyz").status_code == 200
        response = server.query('{ experiment(name: "over the wire") { name } server { store } }').json()
    assert response["data"] == {"experiment": {"name": "over the wire"}, "server": {"store": "AZURE_ML"}}
    assert azure.calls["token"] == 2


def test_unreachable_sign_in_is_reported_and_cached(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the sign-in cannot be reached, all requests within some seconds fail without another attempt."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{free_port()}/msi/token")
    credential = cached_credential()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            credential.get_token(SCOPE)
    assert azure.calls["token"] == 0


class _RefusedCredential:
    """A credential with an invalid secret, which raises the error of Azure's sign-in."""

    attempts = 0

    def get_token(self, *_scopes: str, **_options: object) -> None:
        """Raise azure-identity's error."""
        from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - needs the plugin

        self.attempts += 1
        message = "Authentication failed: AADSTS7000215: Invalid client secret provided for app 'abc'."
        raise ClientAuthenticationError(message)


@pytest.mark.azure
def test_refused_credential_shows_only_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has Azure's code and no other text; a later request tries again."""
    refused = _RefusedCredential()
    credential = cached_credential(lambda: refused)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match=r"\(AADSTS7000215\)") as caught:
            credential.get_token(SCOPE)
        assert "abc" not in str(caught.value)
    assert refused.attempts == 1
    monkeypatch.setattr("gql_server.stores.azure.credential._FAILURE_SECONDS", -1.0)
    credential = cached_credential(lambda: refused)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            credential.get_token(SCOPE)
    assert refused.attempts == 3


async def test_no_other_address_is_requested(
    azure: Emulator, azure_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a workspace sends requests only to it and to the identity endpoint, none to Azure."""
    requested: list[str] = []
    send = requests.Session.send

    def record(
        self: requests.Session, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        requested.append(str(request.url))
        return send(self, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "send", record)
    monkeypatch.delenv("AZUREML_CURRENT_CLOUD", raising=False)
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    await port.open()
    await port.close()
    hosts = {url.split("/")[2] for url in requested}
    assert azure.host in hosts
    assert all(host.startswith("127.0.0.1:") for host in hosts)
