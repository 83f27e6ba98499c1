"""Counts of cache lookups."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class HitCounts:
    """Lookups in one cache that found an entry, and lookups that did not."""

    hits: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Lookups in the record cache and in the response cache, under the names of `/healthz`."""

    records: HitCounts = field(default_factory=HitCounts)
    answers: HitCounts = field(default_factory=HitCounts)
