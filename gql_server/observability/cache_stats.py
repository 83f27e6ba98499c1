"""What the cache was asked and what it had."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class HitCounts:
    """What one layer was asked for: entries that it had, and entries that it had not."""

    hits: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The layers: what was read from the store, and whole answers."""

    records: HitCounts = field(default_factory=HitCounts)
    answers: HitCounts = field(default_factory=HitCounts)
