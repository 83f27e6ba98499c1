"""The dates of the demo, which are fixed so that the documentation can show real results."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST_DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
MINUTE = 60_000

_DAY = 24 * 60 * MINUTE


def timestamp(day: int, minute: int) -> int:
    """Return the milliseconds since 1970 of a minute of one of the demo's days, which start at 09:00 UTC."""
    return int(FIRST_DAY.timestamp() * 1000) + day * _DAY + minute * MINUTE
