"""Settings of who may ask, and how often."""

from typing import Final, Literal, Self

from pydantic import BaseModel, Field, NonNegativeFloat, model_validator

from gql_server.config.list_values import listed

ASYMMETRIC: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Algorithms whose keys can be published: with HS256 the provider's public key would sign."""


class AuthSettings(BaseModel):
    """How callers are known, and what they have to show."""

    auth: Literal["off", "keys", "jwt", "pass-through"] = Field(
        default="off",
        description="Who may ask: anyone; who has an API key; who has a token of an OpenID Connect provider; "
        "or whom the MLflow server behind this one lets in by the credentials sent here.",
    )
    allow_anonymous: bool = Field(
        default=False, description="Whether to listen to other machines with `GQL_AUTH` off."
    )
    api_keys_file: str = Field(
        default="", description="The file of API keys, of which `gql-server key` makes the lines."
    )
    jwt_issuer: str = Field(default="", description="The `iss` of tokens: the provider's address.")
    jwt_audience: str = Field(
        default="", description="The `aud` of tokens: this server, as the provider calls it."
    )
    jwt_jwks_url: str = Field(default="", description="Where the provider publishes its keys.")
    jwt_algorithms: str = Field(
        default="RS256,ES256",
        description="The algorithms that tokens may be signed with, none with a shared secret.",
    )
    jwt_leeway: NonNegativeFloat = Field(
        default=30.0, le=300, description="Seconds by which the provider's clock and this one may differ."
    )
    jwt_write_role: str = Field(
        default="mlflow.write",
        description="What a token has in `scope`, `scp`, `roles` or `groups` if its bearer may write.",
    )
    auth_failure_seconds: NonNegativeFloat = Field(
        default=0.5, le=10, description="Seconds after which credentials that do not hold are refused."
    )
    get_needs_header: bool = Field(
        default=False,
        description="Whether a GET must have a header that browsers send across sites only after asking: "
        "`apollo-require-preflight`, say.",
    )
    rate_limit: str = Field(
        default="",
        description="How often each caller may ask, such as `600/minute`: by key, token or credentials, or "
        "else by address; shared through `GQL_CACHE_URL`. Without one, as often as they like.",
    )

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms that tokens may be signed with."""
        return tuple(listed(self.jwt_algorithms))

    @model_validator(mode="after")
    def _known(self) -> Self:
        """Check that what the way of knowing callers needs is there."""
        needed = {
            "keys": ("api_keys_file",),
            "jwt": ("jwt_issuer", "jwt_audience", "jwt_jwks_url", "jwt_algorithms"),
        }
        for name in needed.get(self.auth, ()):
            if not getattr(self, name):
                message = f"GQL_AUTH={self.auth} needs GQL_{name.upper()}"
                raise ValueError(message)
        unsafe = set(self.algorithms) - ASYMMETRIC
        if unsafe:
            message = f"GQL_JWT_ALGORITHMS must be among {', '.join(sorted(ASYMMETRIC))}"
            raise ValueError(message)
        return self
