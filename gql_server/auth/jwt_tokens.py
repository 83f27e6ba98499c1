"""Tokens of an OpenID Connect provider: JWTs, checked against the keys that the provider publishes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jwt
from starlette.datastructures import Headers

from gql_server.auth.caller import Caller
from gql_server.auth.credentials import bearer_token
from gql_server.auth.jwks import JsonWebKeySet

_LONGEST = 16_000
"""Characters of a token; with more, its sender means no good."""


class JwtTokens:
    """Knows callers by their tokens."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks_url: str,
        algorithms: Sequence[str],
        leeway: float,
        write_role: str,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._algorithms = list(algorithms)
        self._leeway = leeway
        self._write_role = write_role
        self._keys = JsonWebKeySet(jwks_url)

    async def find(self, headers: Headers) -> Caller | None:
        """Return whose token it is; None where it is none, or does not hold. Raises ProviderDown."""
        token = bearer_token(headers)
        if token is None or len(token) > _LONGEST:
            return None
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._algorithms or not isinstance(header.get("kid"), str):
                return None
            key = await self._keys.get(header["kid"])
            if key is None:
                return None
            claims = jwt.decode(
                token,
                _used_with(key, header["alg"]),
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return Caller(f"user:{claims['sub']}", may_write=self._write_role in _roles(claims))


def _used_with(key: jwt.PyJWK, algorithm: str) -> jwt.PyJWK:
    """Return the key for an algorithm; raise PyJWTError where it is of another type."""
    # Providers need not publish which algorithm a key is for; PyJWT then takes the first of its type alone.
    published: dict[str, Any] = key._jwk_data  # noqa: SLF001 - there is no other way to what was published
    return key if "alg" in published or key.algorithm_name == algorithm else jwt.PyJWK(published, algorithm)


def _roles(claims: Mapping[str, Any]) -> Collection[str]:
    """Return what a token grants, by the claims that providers use for it."""
    found: list[str] = []
    for name in ("scope", "scp", "roles", "groups"):
        value = claims.get(name)
        if isinstance(value, str):
            found.extend(value.split())
        elif isinstance(value, list):
            found.extend(filter(_is_text, value))
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str)
