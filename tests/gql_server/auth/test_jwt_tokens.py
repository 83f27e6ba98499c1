"""Tests of JSON Web Tokens, with a provider on this machine."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from gql_server.config.settings import Settings
from tests.gql_server.auth.conftest import QUERY
from tests.support.servers.token_provider import AUDIENCE, ISSUER, TokenProvider, headers_with, scheme_for


async def test_valid_token_is_accepted(
    client_with: Callable[..., httpx.AsyncClient], provider: TokenProvider
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
async def test_claims_are_verified(provider: TokenProvider, claims: dict[str, Any], accepted: bool) -> None:  # noqa: FBT001
    """Issuer, audience, expiry and subject are required and verified, with some leeway for clocks."""
    caller = await scheme_for(provider).authenticate(headers_with(provider.token(**claims)))
    assert (caller is not None) is accepted
    assert caller is None or caller.name == "user:ada"


async def test_token_cannot_choose_its_algorithm(provider: TokenProvider) -> None:
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
    provider: TokenProvider, monkeypatch: pytest.MonkeyPatch, algorithm: str
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
    provider: TokenProvider,
    claims: dict[str, Any],
    *,
    writes: bool,
) -> None:
    """The write role in any of the usual claims allows writing."""
    caller = await scheme_for(provider).authenticate(headers_with(provider.token(**claims)))
    assert caller is not None
    assert caller.may_write is writes
