"""The limits of streams in tests."""

from typing import Final

from gql_server.config.settings import Settings

LIMITS: Final = Settings(live_interval=3600).limits.live
"""The store is read when a test wakes the streams, and not by the clock."""
