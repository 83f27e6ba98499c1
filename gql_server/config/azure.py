"""Settings of Azure Machine Learning workspaces."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat

Edition: TypeAlias = Literal["2024", "2022"]
"""The year of an edition of the table in which Azure ML documents the operators that it supports."""


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """The settings of a workspace in the form that stores take them."""

    edition: Edition
    retries: int
    credential_timeout: float
    """Seconds for each step of getting a token."""


class AzureSettings(BaseModel):
    """How the server talks to an Azure Machine Learning workspace."""

    azure_edition: Edition = Field(
        default="2024",
        description="Edition of Azure ML's support matrix that the workspace follows; `2022` supports less.",
    )
    azure_retries: NonNegativeInt = Field(
        default=5,
        le=20,
        description="Maximum retries of a request after a response of 429 or 5xx, within "
        "`GQL_STORE_TIMEOUT`.",
    )
    azure_credential_timeout: PositiveFloat = Field(
        default=10.0,
        description="Seconds that each step of getting a token for Azure may take: starting a process, or "
        "one HTTP request.",
    )

    @property
    def azure_options(self) -> AzureOptions:
        """Return these settings as the stores take them."""
        return AzureOptions(
            edition=self.azure_edition,
            retries=self.azure_retries,
            credential_timeout=self.azure_credential_timeout,
        )
