"""The demo's calendar: every date in the store is fixed, so that documentation can show real answers."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST_DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
MINUTE = 60_000

_DAY = 24 * 60 * MINUTE


def moment(day: int, minute: int) -> int:
    """Return a time of the demo's calendar, in milliseconds since 1970: ``minute`` counts from 09:00 UTC."""
    return int(FIRST_DAY.timestamp() * 1000) + day * _DAY + minute * MINUTE
