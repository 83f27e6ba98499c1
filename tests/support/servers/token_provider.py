"""A provider of signed tokens on this machine."""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Semaphore, Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.datastructures import Headers

from gql_server.auth.jwt_tokens import JwtTokens

ISSUER, AUDIENCE = "https://id.example.org", "mlflow"
RSA = jwt.algorithms.RSAAlgorithm


class TokenProvider:
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
def provider() -> Iterator[TokenProvider]:
    """Run a provider."""
    provider = TokenProvider()
    thread = Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.may_respond.set()
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def scheme_for(provider: TokenProvider, *algorithms: str) -> JwtTokens:
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
