"""What the settings say of Azure Machine Learning."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Edition: TypeAlias = Literal["2024", "2022"]
"""An edition of the service's own table of what it supports, by its year."""


@dataclass(frozen=True, slots=True)
class AzureOptions:
    """How workspaces are talked to; `credential_timeout` is in seconds, for each step of getting a token."""

    edition: Edition = "2024"
    retries: int = 5
    credential_timeout: float = 10.0
