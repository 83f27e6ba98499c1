"""Tests of JSON Web Tokens, with a provider on this machine."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Semaphore, Thread
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError
from starlette.datastructures import Headers

from gql_server.auth import jwks
from gql_server.auth.jwks import ProviderUnavailable
from gql_server.auth.jwt_tokens import JwtTokens
from gql_server.config.settings import Settings
from tests.gql_server.auth.conftest import QUERY

ISSUER, AUDIENCE = "https://id.example.org", "mlflow"
RSA = jwt.algorithms.RSAAlgorithm


class Provider:
    """Signs tokens, publishes its keys over HTTP, and counts how often they are fetched."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.fetched = 0
        self.down = False
        self.requested = Semaphore(0)
        self.may_respond = Event()
        self.may_respond.set()
        self.new_key("one")
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetched += 1
                self.send_response(503 if provider.down else 200)
                self.end_headers()
                provider.requested.release()
                for _ in range(500):
                    if provider.may_respond.wait(0.02):
                        break
                    # JSON may start with white space, so each read receives a short part.
                    self.wfile.write(b" ")
                self.wfile.write(json.dumps(provider.published()).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def new_key(self, kid: str) -> None:
        """Replace all keys by a new one."""
        self.keys = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def published(self) -> dict[str, Any]:
        """Return the published key set."""
        return {
            "keys": [
                RSA.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}
                for kid, key in self.keys.items()
            ]
        }

    def token(self, algorithm: str = "RS256", key: Any = None, kid: str | None = None, **claims: Any) -> str:
        """Return a token with these claims; None removes a default one, and times are relative to now."""
        default_kid, secret = next(iter(self.keys.items()))
        all_claims: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": 600, **claims}
        now = time.time()
        payload = {
            name: value + now if name in {"exp", "nbf"} else value
            for name, value in all_claims.items()
            if value is not None
        }
        return jwt.encode(payload, key or secret, algorithm, {"kid": kid or default_kid})


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Run a provider."""
    provider = Provider()
    thread = Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.may_respond.set()
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def scheme_for(provider: Provider, *algorithms: str) -> JwtTokens:
    """Return the scheme that accepts this provider's tokens."""
    return JwtTokens(
        issuer=ISSUER,
        audience=AUDIENCE,
        jwks_url=provider.url,
        algorithms=algorithms or ("RS256", "ES256"),
        leeway=30,
        write_role="mlflow.write",
    )


def headers_with(token: str) -> Headers:
    """Return the headers of a request with a token."""
    return Headers({"authorization": f"Bearer {token}"})


async def test_valid_token_is_accepted(
    client_with: Callable[..., httpx.AsyncClient], provider: Provider
) -> None:
    """A request with the provider's token is executed; one without a valid token gets 401."""
    settings = {
        "auth": "jwt",
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
        "jwt_jwks_url": provider.url,
    }
    async with client_with(**settings) as client:
        headers = {"authorization": f"Bearer {provider.token()}"}
        assert (await client.post("/graphql", json=QUERY, headers=headers)).json()["data"]
        refused = await client.post("/graphql", json=QUERY)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer ")
        wrong = {"authorization": f"Bearer {provider.token(aud='another')}"}
        assert (await client.post("/graphql", json=QUERY, headers=wrong)).content == refused.content
        provider.down = True
        fresh = await client.post("/graphql", json=QUERY, headers=headers)
        assert fresh.status_code == 200
    async with client_with(**settings) as client:
        response = await client.post("/graphql", json=QUERY, headers=headers)
        assert response.status_code == 503
        assert response.headers["retry-after"]


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({}, True),
        ({"aud": [AUDIENCE, "another"]}, True),
        ({"exp": -10}, True),
        ({"exp": -100}, False),
        ({"nbf": 3600}, False),
        ({"exp": None}, False),
        ({"iss": "https://evil.example"}, False),
        ({"iss": None}, False),
        ({"aud": "another"}, False),
        ({"aud": None}, False),
        ({"sub": None}, False),
        ({"pad": "x" * 20_000}, False),
    ],
)
async def test_claims_are_verified(provider: Provider, claims: dict[str, Any], accepted: bool) -> None:  # noqa: FBT001
    """Issuer, audience, expiry and subject are required and verified, with some leeway for clocks."""
    caller = await scheme_for(provider).authenticate(headers_with(provider.token(**claims)))
    assert (caller is not None) is accepted
    assert caller is None or caller.name == "user:ada"


async def test_token_cannot_choose_its_algorithm(provider: Provider) -> None:
    """A token with algorithm `none`, a shared secret or another key is refused."""
    scheme = scheme_for(provider)
    public = json.dumps(provider.published()["keys"][0])
    unsigned = jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "sub": "a"}, "", "none", {"kid": "one"})
    forged = jwt.api_jws.PyJWS()
    for token in (
        unsigned,
        provider.token("HS256", key="k" * 64),
        provider.token("RS384"),
        provider.token("RS256", key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        provider.token("ES256", key=ec.generate_private_key(ec.SECP256R1())),
        provider.token()[:-4] + "AAAA",
        forged.encode(b"no claims", next(iter(provider.keys.values())), "RS256", {"kid": "one"}),
        public,
        "a.b.c",
        "..",
    ):
        assert await scheme.authenticate(headers_with(token)) is None


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
async def test_published_key_may_omit_its_algorithm(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    """A key without an algorithm is valid for each configured one of its type, and else for its own only."""
    token = headers_with(provider.token(algorithm))
    assert await scheme_for(provider, "RS256", algorithm).authenticate(token) is not None
    (key,) = provider.published()["keys"]
    monkeypatch.setattr(provider, "published", lambda: {"keys": [key | {"alg": "RS256"}]})
    assert await scheme_for(provider, "RS256", algorithm).authenticate(token) is None


def test_jwt_settings_are_validated() -> None:
    """An algorithm with a shared secret, and incomplete settings, are refused."""
    complete = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "jwt_jwks_url": "https://id.example.org/keys"}
    Settings(auth="jwt", **complete)
    with pytest.raises(ValidationError, match="GQL_JWT_ALGORITHMS"):
        Settings(auth="jwt", jwt_algorithms="RS256,HS256", **complete)
    for name in complete:
        with pytest.raises(ValidationError, match=name.upper()):
            Settings(auth="jwt", **(complete | {name: ""}))


async def test_rotated_keys_are_fetched(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new key is fetched with the first token that it signed; a removed key is not accepted any more."""
    monkeypatch.setattr(jwks, "_COOLDOWN", 0.0)
    scheme = scheme_for(provider)
    old = provider.token()
    assert await scheme.authenticate(headers_with(old))
    provider.new_key("two")
    assert await scheme.authenticate(headers_with(provider.token()))
    assert await scheme.authenticate(headers_with(old)) is None


async def test_unknown_key_ids_do_not_cause_a_fetch_each(provider: Provider) -> None:
    """Tokens with invented key ids cause one fetch, however many they are."""
    scheme = scheme_for(provider)
    for number in range(20):
        assert await scheme.authenticate(headers_with(provider.token(kid=f"made-up-{number}"))) is None
    assert provider.fetched == 1


async def test_slow_fetch_does_not_delay_known_keys(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While tokens with unknown keys wait for one fetch, a token with a cached key is accepted at once."""
    monkeypatch.setattr(jwks, "_COOLDOWN", 0.0)
    monkeypatch.setattr(jwks, "_MAX_WAITING", 6)
    scheme = scheme_for(provider)
    known = headers_with(provider.token())
    assert await scheme.authenticate(known)
    provider.may_respond.clear()
    unknown = [headers_with(provider.token(kid=f"made-up-{number}")) for number in range(7)]
    waiting = [asyncio.create_task(scheme.authenticate(headers)) for headers in unknown[:6]]
    for _ in range(2):
        assert await asyncio.to_thread(provider.requested.acquire, timeout=30)
    assert await scheme.authenticate(known)
    with pytest.raises(ProviderUnavailable):
        await scheme.authenticate(unknown[6])
    assert not any(task.done() for task in waiting)
    provider.may_respond.set()
    assert await asyncio.gather(*waiting) == [None] * 6
    assert provider.fetched == 2


async def test_failed_fetch_is_not_repeated_at_once(provider: Provider) -> None:
    """After a failed fetch, no request causes another one or waits for it during the cooldown."""
    scheme = scheme_for(provider)
    provider.down = True
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await scheme.authenticate(headers_with(provider.token()))
    assert provider.fetched == 1


async def test_fetch_that_never_ends_times_out_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that takes too long times out, and later requests do not wait for it."""
    monkeypatch.setattr(jwks, "_TIMEOUT", 0.1)
    scheme = scheme_for(provider)
    provider.may_respond.clear()
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await scheme.authenticate(headers_with(provider.token()))
    # The request may arrive after the fetch has timed out.
    assert await asyncio.to_thread(provider.requested.acquire, timeout=30)
    assert provider.fetched == 1
    provider.may_respond.set()


@pytest.mark.parametrize(
    ("claims", "writes"),
    [
        ({}, False),
        ({"scope": "openid mlflow.write"}, True),
        ({"scp": ["mlflow.write"]}, True),
        ({"roles": ["reader", "mlflow.write"]}, True),
        ({"groups": "mlflow.write"}, True),
        ({"scope": "mlflow.writers", "roles": None, "groups": [1, {}]}, False),
        ({"scope": 7, "scp": True, "roles": 1.5}, False),
        ({"roles": {"mlflow.write": False}}, False),
    ],
)
async def test_write_role_is_read_from_claims(
    provider: Provider,
    claims: dict[str, Any],
    *,
    writes: bool,
) -> None:
    """The write role in any of the usual claims allows writing."""
    caller = await scheme_for(provider).authenticate(headers_with(provider.token(**claims)))
    assert caller is not None
    assert caller.may_write is writes
