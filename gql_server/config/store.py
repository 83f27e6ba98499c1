"""Settings of the MLflow store."""

import os
from typing import Final
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, Field, PositiveFloat, PositiveInt, field_validator

TRACKING_URI_VARIABLE: Final = "MLFLOW_TRACKING_URI"
"""MLflow's own variable."""


class StoreSettings(BaseModel):
    """Which store is served, and how many calls to it run at once."""

    tracking_uri: str = Field(
        default="",
        validation_alias=AliasChoices("GQL_TRACKING_URI", TRACKING_URI_VARIABLE),
        description="Tracking URI of the MLflow store to serve. By default `MLFLOW_TRACKING_URI`, or else "
        "MLflow's own default.",
    )
    registry_uri: str = Field(
        default="",
        validation_alias=AliasChoices("GQL_REGISTRY_URI", "MLFLOW_REGISTRY_URI"),
        description="URI of the model registry. By default `MLFLOW_REGISTRY_URI`, or else the tracking "
        "store.",
    )
    store_timeout: PositiveFloat = Field(
        default=30.0, description="Seconds that one call to the store may take, retries included."
    )
    store_threads: PositiveInt = Field(
        default=16,
        le=256,
        description="Maximum concurrent calls of one process to a store that is not a database.",
    )
    # Threads convert long results under the interpreter's lock. More than four make no answer earlier, and
    # the event loop waits longer for each. Short reads from PostgreSQL and SQLite do not wait for a thread.
    database_threads: PositiveInt = Field(
        default=4,
        le=64,
        description="Maximum concurrent SQL statements of one process in threads. It has two connections "
        "more, and as many for short reads from PostgreSQL and SQLite.",
    )
    # A page of 1,000 runs with 200 params each has 25 MB. MLflow's client takes about eight times the memory.
    max_upstream_bytes: PositiveInt = Field(
        default=40_000_000,
        description="Maximum bytes of one response of an MLflow server or workspace, as sent and after "
        "decompression. Beyond as many of all responses together, one is read at a time. Files of artifacts "
        "are streamed and have no limit.",
    )
    schema_check_seconds: PositiveFloat = Field(
        default=10.0,
        description="Seconds after which the revision of a database is read again, to notice a migration.",
    )

    @field_validator("tracking_uri")
    @classmethod
    def _default_store(cls, uri: str) -> str:
        return uri or default_tracking_uri()

    @field_validator("tracking_uri", "registry_uri")
    @classmethod
    def _check_uri(cls, uri: str) -> str:
        # Brackets can make it unreadable. The message leaves the URI out, since it may contain a password.
        try:
            urlsplit(uri)
        except ValueError as error:
            message = f"the value is not a URI ({error})"
            raise ValueError(message) from None
        return uri


def default_tracking_uri() -> str:
    """Return the tracking URI that MLflow uses by default."""
    if uri := os.environ.get(TRACKING_URI_VARIABLE):
        return uri
    import mlflow  # noqa: PLC0415 - takes seconds, and only the default needs it

    return str(mlflow.get_tracking_uri())
