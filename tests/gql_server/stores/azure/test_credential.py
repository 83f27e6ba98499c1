"""The server's credential in Azure: azure-identity's own, against an identity endpoint on loopback."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from gql_server.app import create_app
from gql_server.config.settings import Settings
from gql_server.stores.azure import credential as credential_module
from gql_server.stores.azure.credential import CachedCredential, unattended_credential
from gql_server.stores.mlflow.tracking import MlflowTracking
from schema.ports.errors import StoreUnavailable, Unauthenticated
from schema.ports.tracking import Search
from tests.support.azure.emulator import Emulator
from tests.support.graphql_client import graphql_client
from tests.support.limits import LIMITS
from tests.support.server_process import running_server
from tests.support.servers import free_port
from tests.support.stores import Store

SCOPE = "https://management.azure.com/.default"
COUNT = "{ experiments { totalCount } }"


def kept() -> CachedCredential:
    """Return a credential of azure-identity's, as the environment has it."""
    return CachedCredential(lambda: unattended_credential(None, 5))


async def test_many_requests_are_one_token(azure: Emulator, azure_store: Store) -> None:
    """However many requests there are, at once and one after another, one token is asked for."""
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    for _ in range(2):
        await asyncio.gather(*(port.count_experiments(Search()) for _ in range(20)))
    await port.close()
    assert azure.calls["token"] == 1
    assert azure.calls["experiments/search"] == 40


async def test_a_token_is_renewed_before_it_ends(azure: Emulator, azure_store: Store) -> None:
    """In the last minutes of a token the next is got, and where that fails the old one goes on being used."""
    azure.lifetime = 200
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    await port.ready()
    azure.identity = 400
    for _ in range(3):
        await port.ready()
    assert azure.calls["token"] == 2
    assert len(set(azure.tokens)) == len(azure.tokens)
    await port.close()


def test_one_renews_and_the_others_go_on(azure: Emulator) -> None:
    """While a token still holds, only one of many threads waits for the next."""
    azure.lifetime = 200
    credential = kept()
    first = credential.get_token(SCOPE)
    azure.lifetime = 3600
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: credential.get_token(SCOPE).token, range(32)))
    assert azure.calls["token"] == 2
    assert set(given) <= {first.token, azure.tokens[-1]}
    assert credential.get_token(SCOPE).token == azure.tokens[-1]


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("chosen", ["InteractiveBrowserCredential", "VisualStudioCodeCredential"])
def test_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, chosen: str) -> None:
    """Not even where a variable asks for it does a browser open."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", chosen)
    with pytest.raises(StoreUnavailable):
        kept().get_token(SCOPE)


@pytest.mark.usefixtures("azure")
async def test_no_credential_is_one_clear_line(
    azure_store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a credential the server is not ready, each time, and says what to do in one line."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    app = create_app(Settings(tracking_uri=azure_store.uri))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        with caplog.at_level(logging.INFO):
            for _ in range(3):
                response = await client.get("/readyz")
                assert response.status_code == 503
                assert "az login" in response.json()["reason"]
        assert [record.name for record in caplog.records if record.name.startswith("azure")] == []
    async with graphql_client(azure_store.uri) as ask:
        error = await ask.error(COUNT)
    assert error["extensions"]["code"] == "STORE_UNAVAILABLE"
    assert "\n" not in error["message"]


def test_the_server_comes_up_without_one(azure_store: Store) -> None:
    """A server without a credential starts, says so in one line, lives, and is not ready."""
    with running_server(
        "--tracking-uri", azure_store.uri, AZURE_TOKEN_CREDENTIALS="EnvironmentCredential"
    ) as server:
        assert server.get("/healthz").status_code == 200
        assert httpx.get(f"{server.url}/readyz", timeout=10).status_code == 503
        said = "".join(server.printed)
    assert said.count("credential") == 1
    assert "Traceback" not in said


def test_the_server_serves_with_one(azure: Emulator, azure_store: Store) -> None:
    """The command serves a workspace, with the identity of the machine that it runs on."""
    azure_store.client.create_experiment("over the wire")
    with running_server("--tracking-uri", azure_store.uri) as server:
        assert server.get("/readyz").status_code == 200
        answer = server.query('{ experiment(name: "over the wire") { name } server { store } }').json()
    assert answer["data"] == {"experiment": {"name": "over the wire"}, "server": {"store": "AZURE_ML"}}
    assert azure.calls["token"] == 2


def test_a_sign_in_that_is_down_is_an_outage(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody gives out tokens that is said, once for all who ask within some seconds."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{free_port()}/msi/token")
    credential = kept()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            credential.get_token(SCOPE)
    assert azure.calls["token"] == 0


class _Refusing:
    """A credential with a wrong secret, as Azure's sign-in answers; it is not to be had on loopback."""

    tries = 0

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Refuse, as azure-identity does."""
        self.tries += 1
        message = "Authentication failed: AADSTS7000215: Invalid client secret provided for app 'abc'."
        raise ClientAuthenticationError(message)


def test_a_refused_credential_has_its_code_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azure's own code is shown, the rest of its text is not; it is tried again after a while."""
    refusing = _Refusing()
    credential = CachedCredential(lambda: refusing)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match=r"\(AADSTS7000215\)") as caught:
            credential.get_token(SCOPE)
        assert "abc" not in str(caught.value)
    assert refusing.tries == 1
    monkeypatch.setattr(credential_module, "_REMEMBERED", -1.0)
    credential = CachedCredential(lambda: refusing)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            credential.get_token(SCOPE)
    assert refusing.tries == 3


async def test_no_other_address_is_asked(
    azure: Emulator, azure_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace costs requests to itself and to the identity endpoint, and to no address of Azure's."""
    asked: list[str] = []
    send = requests.Session.send

    def listen(
        self: requests.Session, request: requests.PreparedRequest, **options: object
    ) -> requests.Response:
        asked.append(str(request.url))
        return send(self, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "send", listen)
    monkeypatch.delenv("AZUREML_CURRENT_CLOUD", raising=False)
    port = MlflowTracking(azure_store.uri, LIMITS.store)
    await port.open()
    await port.close()
    hosts = {url.split("/")[2] for url in asked}
    assert azure.host in hosts
    assert all(host.startswith("127.0.0.1:") for host in hosts)
