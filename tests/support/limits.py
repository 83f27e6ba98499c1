"""The default limits, for tests that build a part of the server alone."""

from dataclasses import replace
from typing import Any, Final

from gql_server.config.limits import Limits, StoreLimits
from gql_server.config.settings import Settings

LIMITS: Final[Limits] = Settings(tracking_uri="unused:").limits


def store_limits(**changes: Any) -> StoreLimits:
    """Return the default limits of a store, with changes."""
    return replace(LIMITS.store, **changes)
