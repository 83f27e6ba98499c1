"""What the graph needs of a stream of points to answer `metricPoints`: one batch for each event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schema.ports.table import One
from schema.ports.tracking import Sample


@dataclass(frozen=True, slots=True)
class PointSelection:
    """The points of a stream: of which runs and keys, after which cursor, and a sample of the first ones."""

    run_ids: Sequence[str]
    keys: Sequence[str] | None = None
    """None selects all keys."""
    after: str | None = None
    """The cursor of a batch; the stream begins behind it, and nothing is sampled."""
    sample: Sample | None = None
    """How to reduce what is there when the stream begins; None sends all of it."""


class PointBatchSource(Protocol):
    """Has the batch of one event of a stream."""

    def batch(self, selection: PointSelection) -> One:
        """Return the batch as a single row with the columns cursor, series and complete.

        `series` is a `Many` with the columns run_id, key and points. `points` is a `Many` with the columns
        step, timestamp, value and non_finite.
        """
        ...
