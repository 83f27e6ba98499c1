"""JSON Web Tokens of an OpenID Connect provider, verified by the keys that the provider publishes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import jwt
from starlette.datastructures import Headers
from typing_extensions import override

from gql_server.auth.caller import Caller
from gql_server.auth.credentials import bearer_token
from gql_server.auth.jwks import JsonWebKeySet
from gql_server.auth.scheme import AuthScheme

_MAX_LENGTH: Final = 16_000
"""Characters of a token. Providers issue shorter ones; a longer one is refused before it is parsed."""


class JwtTokens(AuthScheme):
    """Authenticates callers by bearer token."""

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

    @override
    async def authenticate(self, headers: Headers) -> Caller | None:
        token = bearer_token(headers)
        if token is None or len(token) > _MAX_LENGTH:
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
                _key_for(key, header["alg"]),
                algorithms=self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._leeway,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        may_write = self._write_role in _roles(claims)
        return Caller(f"user:{claims['sub']}", may_write=may_write, expires=claims["exp"] + self._leeway)


def _key_for(key: jwt.PyJWK, algorithm: str) -> jwt.PyJWK:
    """Return the key for an algorithm; raise `PyJWTError` if it is a key of another type."""
    # A provider need not publish a key's algorithm; PyJWT then allows only the first one of the key's type.
    published: dict[str, Any] = key._jwk_data  # noqa: SLF001 - PyJWT has no public attribute for it
    return key if "alg" in published or key.algorithm_name == algorithm else jwt.PyJWK(published, algorithm)


def _roles(claims: Mapping[str, Any]) -> Collection[str]:
    """Return the roles in a token, from each of the claims that providers use for them."""
    roles: list[str] = []
    for name in ("scope", "scp", "roles", "groups"):
        value = claims.get(name)
        if isinstance(value, str):
            roles.extend(value.split())
        elif isinstance(value, list):
            roles.extend(role for role in value if isinstance(role, str))
    return roles
