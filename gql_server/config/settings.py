"""Every setting of the server, with its default, unit and effect."""

from dataclasses import fields
from functools import cached_property
from typing import Any, Self, get_type_hints

from pydantic import ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gql_server.config.auth import AuthSettings
from gql_server.config.limits import Limits
from gql_server.config.operations import OperationSettings
from gql_server.config.results import ResultSettings
from gql_server.config.server import ServerSettings
from gql_server.config.store import StoreSettings
from gql_server.config.writes import WriteSettings


# pydantic takes the fields of the last class first.
class Settings(
    WriteSettings,
    ResultSettings,
    OperationSettings,
    AuthSettings,
    ServerSettings,
    StoreSettings,
    BaseSettings,
):
    """The settings, from arguments of `gql-server serve` first, then from `GQL_*` variables.

    Raises pydantic's ValidationError for a value that a setting does not take.
    """

    model_config = SettingsConfigDict(
        env_prefix="GQL_", frozen=True, extra="forbid", populate_by_name=True, validate_default=True
    )

    def __init__(self, **given: Any) -> None:
        """Take what is given here, then what the environment says."""
        super().__init__(**given)

    @cached_property
    def limits(self) -> Limits:
        """Return the limits that these settings name, grouped by the layer that enforces them."""
        groups = get_type_hints(Limits)
        return Limits(
            **{
                name: group(**{field.name: getattr(self, field.name) for field in fields(group)})
                for name, group in groups.items()
            }
        )

    @field_validator("writable")
    @classmethod
    def _seen_by_all(cls, writable: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic calls it
        own_caches = info.data.get("workers", 1) > 1 and not info.data.get("cache_url")
        kept = info.data.get("cache_ended_seconds") or info.data.get("cache_running_seconds")
        if writable and own_caches and kept:
            message = (
                "with several workers each has a cache of its own, which does not see what another changes; "
                "set cache_url to one that they share, or workers to 1"
            )
            raise ValueError(message)
        return writable

    @model_validator(mode="after")
    def _decided_by_a_server(self) -> Self:
        if self.auth == "pass-through" and not self.tracking_uri.startswith(("http://", "https://")):
            message = "GQL_AUTH=pass-through needs an MLflow server as GQL_TRACKING_URI"
            raise ValueError(message)
        return self
