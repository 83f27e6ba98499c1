"""Every setting of the server, with its default, unit and effect."""

from typing import Annotated, Any, Literal

import mlflow
from pydantic import (
    AliasChoices,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """The settings, from arguments of `gql-server serve` first, then from `GQL_*` variables.

    Raises pydantic's ValidationError for a value that a setting does not take.
    """

    model_config = SettingsConfigDict(
        env_prefix="GQL_", frozen=True, extra="forbid", populate_by_name=True, validate_default=True
    )

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
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: Port = Field(default=8000, description="The port to listen on; 0 takes a free one.")
    workers: PositiveInt = Field(
        default=1, le=64, description="Processes that serve; each has a cache and connections of its own."
    )
    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        default="info", description="The least that is logged."
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
    max_page_size: int = Field(
        default=1000, ge=50, description="The largest `first`, and the most ids in one lookup; at least 50."
    )
    max_scanned_runs: PositiveInt = Field(
        default=100_000,
        description="Runs read to finish one search or count here, where the store cannot do it itself.",
    )
    max_points: PositiveInt = Field(
        default=2_000_000, description="Points of metric histories that one field of a query may read."
    )
    max_body_bytes: PositiveInt = Field(
        default=1_000_000, description="The largest body of a request, in bytes."
    )
    max_tokens: PositiveInt = Field(
        default=5000, description="The most lexical tokens in a document; GraphiQL's introspection has 300."
    )
    max_errors: PositiveInt = Field(
        default=100, description="The most errors in one answer; one more then says how many were left out."
    )
    document_cache_size: NonNegativeInt = Field(
        default=500,
        description="Parsed and validated documents kept in memory, the least used dropped first.",
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
    graphiql: bool = Field(
        default=True, description="Whether a browser that opens /graphql gets the GraphiQL page."
    )

    @field_validator("tracking_uri")
    @classmethod
    def _default_store(cls, uri: str) -> str:
        return uri or default_tracking_uri()

    def __init__(self, **given: Any) -> None:
        """Take what is given here, then what the environment says."""
        super().__init__(**given)


def default_tracking_uri() -> str:
    """Return the store that MLflow itself would use where nothing names one."""
    uri: str = mlflow.get_tracking_uri()
    return uri
