"""What one subscriber has got: its position in the log of its points."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gql_server.live.metric_points.logged_points import LoggedPoints, PointKey, in_order, last_key
from gql_server.live.metric_points.point_sketch import PointSketch

Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class StreamPosition:
    """How many points of each series a subscriber has got, and which: never changed, so it can be shared.

    The keys of the mappings are indexes of series. `taken` counts the points of the log that are not to be
    sent again, `pending` has the indexes of those among them that are still to be sent: after a resumption
    the points that the client has are anywhere. `last` has the last key of the points that were sent, in the
    order of timestamp, step and value, and `counts` their number. `sketch` is of all of them.
    """

    taken: Mapping[int, int] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=dict)
    last: Mapping[int, PointKey] = field(default_factory=dict)
    sketch: PointSketch = field(default_factory=PointSketch)
    pending: Mapping[int, Indexes] = field(default_factory=dict)

    def advanced(self, series: int, taken: int, sent: LoggedPoints) -> "StreamPosition":
        """Return the position after more points of a series: how many of the log, and those that they are."""
        return self.advanced_all({series: (taken, sent)})

    def advanced_all(
        self,
        steps: Mapping[int, tuple[int, LoggedPoints]],
        pending: Mapping[int, Indexes] | None = None,
    ) -> "StreamPosition":
        """Return the position after points of several series, with what is then pending."""
        taken, counts, last = dict(self.taken), dict(self.counts), dict(self.last)
        for series, (number, sent) in steps.items():
            taken[series] = taken.get(series, 0) + number
            counts[series] = counts.get(series, 0) + len(sent)
            key = last_key(in_order(sent))
            last[series] = max(last.get(series, key), key)
        hashes: Any = np.concatenate([np.empty(0, np.uint64), *(sent["hash"] for _, sent in steps.values())])
        rest = self.pending if pending is None else pending
        return StreamPosition(taken, counts, last, self.sketch.with_points(hashes), rest)
