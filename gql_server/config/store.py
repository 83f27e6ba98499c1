"""Settings of the store that is served: where it is, how it is asked, and what is kept of it."""

from urllib.parse import urlsplit

import mlflow
from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

from gql_server.config.azure import Edition


class StoreSettings(BaseModel):
    """The store, the calls to it, and the cache before it."""

    tracking_uri: str = Field(
        default="",
        validation_alias=AliasChoices("GQL_TRACKING_URI", "MLFLOW_TRACKING_URI"),
        description="The MLflow store to serve. Without any, MLflow's own default.",
    )
    registry_uri: str = Field(
        default="",
        validation_alias=AliasChoices("GQL_REGISTRY_URI", "MLFLOW_REGISTRY_URI"),
        description="The model registry, where it is not in the same store.",
    )
    store_timeout: PositiveFloat = Field(
        default=30.0, description="Seconds that one call to the store may take, retries included."
    )
    store_threads: PositiveInt = Field(
        default=16, le=256, description="Calls to the store under way at once in one process."
    )
    database_threads: PositiveInt = Field(
        default=8,
        le=64,
        description="Statements under way at once in one process; MLflow's engine has 15 connections.",
    )
    azure_edition: Edition = Field(
        default="2024",
        description="The edition of Azure ML's support matrix that a workspace keeps to; 2022 is the older.",
    )
    azure_retries: NonNegativeInt = Field(
        default=5,
        le=20,
        description="How often an Azure workspace that answers 429 or 5xx is asked again, within the time.",
    )
    azure_credential_timeout: PositiveFloat = Field(
        default=10.0,
        description="Seconds for each process that gives a token for Azure, and each answer waited for.",
    )
    cache_url: str = Field(
        default="", description="A redis:// URL for a cache that replicas share; in memory without one."
    )
    cache_bytes: PositiveInt = Field(
        default=256_000_000, description="The bytes that the cache in one process's memory may hold."
    )
    cache_timeout: PositiveFloat = Field(
        default=0.25, description="Seconds that Redis is waited for; the answer then comes from the store."
    )
    cache_ended_seconds: NonNegativeFloat = Field(
        default=300.0,
        description="How long what was read of ended runs is kept, in seconds; 0 keeps nothing.",
    )
    cache_running_seconds: NonNegativeFloat = Field(
        default=2.0,
        description="How long searches and what was read of unended runs are kept, in seconds.",
    )

    @field_validator("tracking_uri")
    @classmethod
    def _default_store(cls, uri: str) -> str:
        return uri or default_tracking_uri()

    @field_validator("tracking_uri", "registry_uri")
    @classmethod
    def _readable(cls, uri: str) -> str:
        # Only that it can be taken apart, which fails for brackets; the text may hold a password.
        try:
            urlsplit(uri)
        except ValueError as error:
            message = f"this is no URI ({error})"
            raise ValueError(message) from None
        return uri


def default_tracking_uri() -> str:
    """Return the store that MLflow itself would use where nothing names one."""
    uri: str = mlflow.get_tracking_uri()
    return uri
