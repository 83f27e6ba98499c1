"""Settings of authentication and of the rate limit."""

from typing import Final, Literal, Self

from pydantic import BaseModel, Field, NonNegativeFloat, model_validator

from gql_server.config.list_values import split_list

ASYMMETRIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Algorithms with a public key. With HS256 the provider's published key would sign tokens."""
_REQUIRED: Final = {
    "keys": ("api_keys_file",),
    "jwt": ("jwt_issuer", "jwt_audience", "jwt_jwks_url", "jwt_algorithms"),
}


class AuthSettings(BaseModel):
    """How callers are authenticated and how many requests each may send."""

    auth: Literal["off", "keys", "jwt", "pass-through"] = Field(
        default="off",
        description="Authentication: `off`, `keys` (API keys), `jwt` (tokens of an OpenID Connect provider) "
        "or `pass-through` (the MLflow server that is the store checks the caller's credentials).",
    )
    allow_anonymous: bool = Field(
        default=False,
        description="Allow listening on an address other than loopback with `GQL_AUTH=off`. By default the "
        "server refuses to start.",
    )
    api_keys_file: str = Field(
        default="",
        description="File of API keys, one a line, as `gql-server key` prints them. Required with "
        "`GQL_AUTH=keys`.",
    )
    jwt_issuer: str = Field(
        default="",
        description="Required value of the claim `iss`: the provider's URL. Required with `GQL_AUTH=jwt`.",
    )
    jwt_audience: str = Field(
        default="",
        description="Required value of the claim `aud`: the provider's name for this server. Required with "
        "`GQL_AUTH=jwt`.",
    )
    jwt_jwks_url: str = Field(
        default="",
        description="URL of the provider's public keys (JWKS). Required with `GQL_AUTH=jwt`.",
    )
    jwt_algorithms: str = Field(
        default="RS256,ES256",
        description="Accepted signature algorithms of tokens, separated by commas; asymmetric ones only.",
    )
    jwt_leeway: NonNegativeFloat = Field(
        default=30.0,
        le=300,
        description="Seconds of difference allowed between the provider's clock and this server's.",
    )
    jwt_write_role: str = Field(
        default="mlflow.write",
        description="Role that allows writes, looked up in the claims `scope`, `scp`, `roles` and `groups`.",
    )
    auth_failure_seconds: NonNegativeFloat = Field(
        default=0.5,
        le=10,
        description="Seconds before a response to invalid credentials is sent, which slows guessing down.",
    )
    rate_limit: str = Field(
        default="",
        description="Maximum requests of one caller, such as `600/minute`. Callers are distinguished by key, "
        "token or credentials, and by address with `GQL_AUTH=off`. Replicas share the counts through "
        "`GQL_CACHE_URL`. Unlimited by default.",
    )

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the accepted signature algorithms of tokens."""
        return tuple(split_list(self.jwt_algorithms))

    @model_validator(mode="after")
    def _check_authentication(self) -> Self:
        for name in _REQUIRED.get(self.auth, ()):
            if not getattr(self, name):
                message = f"GQL_AUTH={self.auth} needs GQL_{name.upper()}"
                raise ValueError(message)
        if not set(self.algorithms) <= ASYMMETRIC:
            message = f"GQL_JWT_ALGORITHMS must be among {', '.join(sorted(ASYMMETRIC))}"
            raise ValueError(message)
        return self
