"""All settings of the server."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any, Final, Self, get_type_hints

from pydantic import BaseModel, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gql_server.config.artifacts import ArtifactSettings
from gql_server.config.auth import AuthSettings
from gql_server.config.azure import AzureSettings
from gql_server.config.cache import CacheSettings
from gql_server.config.connections import ConnectionSettings
from gql_server.config.documents import DocumentSettings
from gql_server.config.exports import ExportSettings
from gql_server.config.limits import Limits
from gql_server.config.live import LiveSettings
from gql_server.config.observability import ObservabilitySettings
from gql_server.config.operations import OperationSettings
from gql_server.config.results import ResultSettings
from gql_server.config.server import ServerSettings
from gql_server.config.store import StoreSettings
from gql_server.config.writes import WriteSettings

SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {
    "Store": StoreSettings,
    "Azure Machine Learning": AzureSettings,
    "Server": ServerSettings,
    "Authentication": AuthSettings,
    "Requests": DocumentSettings,
    "Operations": OperationSettings,
    "Subscriptions": LiveSettings,
    "Results": ResultSettings,
    "Event streams and WebSockets": ConnectionSettings,
    "Tables": ExportSettings,
    "Artifacts": ArtifactSettings,
    "Cache": CacheSettings,
    "Writes": WriteSettings,
    "Logs and metrics": ObservabilitySettings,
}
"""The groups of settings under their headings, in the order in which they are documented."""


# pydantic orders the fields by the bases, the last base first.
class Settings(
    ObservabilitySettings,
    WriteSettings,
    CacheSettings,
    ArtifactSettings,
    ExportSettings,
    ConnectionSettings,
    ResultSettings,
    LiveSettings,
    OperationSettings,
    DocumentSettings,
    AuthSettings,
    ServerSettings,
    AzureSettings,
    StoreSettings,
    BaseSettings,
):
    """The settings, read from keyword arguments first and from `GQL_*` variables second.

    Raises pydantic's ValidationError for an invalid value.
    """

    model_config = SettingsConfigDict(
        env_prefix="GQL_", frozen=True, extra="forbid", populate_by_name=True, validate_default=True
    )

    def __init__(self, **given: Any) -> None:
        """Read the settings that are not given from the environment."""
        super().__init__(**given)

    @cached_property
    def limits(self) -> Limits:
        """Return the limits that these settings define, grouped by the layer that enforces them."""
        groups = get_type_hints(Limits)
        return Limits(
            **{
                name: group(**{field.name: getattr(self, field.name) for field in fields(group)})
                for name, group in groups.items()
            }
        )

    @field_validator("writable")
    @classmethod
    def _check_shared_cache(cls, writable: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
        separate_caches = info.data.get("workers", 1) > 1 and not info.data.get("cache_url")
        caching = info.data.get("cache_ended_seconds") or info.data.get("cache_running_seconds")
        if writable and separate_caches and caching:
            message = (
                "several workers have separate caches, and a write through one does not invalidate the "
                "others; set cache_url to a cache that they share, or workers to 1"
            )
            raise ValueError(message)
        return writable

    @model_validator(mode="after")
    def _check_pass_through(self) -> Self:
        if self.auth == "pass-through" and not self.tracking_uri.startswith(("http://", "https://")):
            message = "GQL_AUTH=pass-through needs an MLflow server as GQL_TRACKING_URI"
            raise ValueError(message)
        return self
