"""Times as integer milliseconds since 1970-01-01 UTC, which MLflow stores."""

import time
from collections.abc import Sequence


def current_time() -> int:
    """Return the current time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def seconds_between(starts: Sequence[int | None], ends: Sequence[int | None]) -> list[float | None]:
    """Return the seconds from each start to its end, both in milliseconds; None if either is None."""
    return [
        None if start is None or end is None else (end - start) / 1000
        for start, end in zip(starts, ends, strict=True)
    ]
