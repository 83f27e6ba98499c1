"""What the cache was asked and what it had."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """What one layer was asked for: entries that it had, and entries that it had not."""

    hits: int = 0
    misses: int = 0


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """The layers: what was read from the store, and whole answers."""

    records: Counts = field(default_factory=Counts)
    answers: Counts = field(default_factory=Counts)
