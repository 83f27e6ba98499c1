"""Settings of the log and of metrics."""

from typing import Literal

from pydantic import BaseModel, Field


class ObservabilitySettings(BaseModel):
    """What the server logs, and whether it exposes metrics."""

    log_level: Literal["critical", "error", "warning", "info", "debug"] = Field(
        default="info", description="Lowest level of the log messages that are written."
    )
    access_log: bool = Field(
        default=True,
        description="Write one line of JSON to stderr for each request, without its variables.",
    )
    metrics: bool = Field(
        default=False,
        description="Serve metrics for Prometheus at `/metrics`. With `GQL_AUTH` they require credentials.",
    )
